"""Scores what is read and found of documents whose content is known; the last line is JSON.

.venv/bin/python -m benchmarks.quality [--peer TOOL=PYTHON …]: beside this project, the same documents are read by other
tools (markitdown, extractous), each by the Python of an environment where it is installed.
"""

import json
import tempfile
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from benchmarks.quality.documents import MAKERS, Sample, samples
from benchmarks.quality.known import SEEDS
from benchmarks.quality.questions import hits
from benchmarks.quality.readers import ours, peer
from benchmarks.quality.scores import Score, score
from benchmarks.recognition import measure as recognise
from benchmarks.sizes import Sizes

OURS = "ingest-assets"


def main() -> None:
    parser = ArgumentParser(prog="benchmarks.quality", description=__doc__)
    parser.add_argument("--peer", action="append", default=[], metavar="TOOL=PYTHON")
    parser.add_argument("--pages", type=int, default=30, help="scanned pages of each quality")
    arguments = parser.parse_args()
    made = list(samples(SEEDS))
    read = {OURS: ours(made)}
    for tool, _, python in (each.partition("=") for each in arguments.peer):
        with tempfile.TemporaryDirectory() as folder:
            read[tool] = peer(tool, Path(python), made, Path(folder))
    scores = {tool: list(map(score, made, texts)) for tool, texts in read.items()}
    print(table(made, scores))
    found = hits(made)
    print(f"\nQuestions answered by the first passage: {found[1]:.3f}, by one of five: {found[5]:.3f}")
    words = {
        name: share
        for figures in recognise(Sizes(scanned_pages=arguments.pages))
        for name, share in figures.items()
        if name.startswith("words_found")
    }
    own = scores[OURS]
    summary = {name: round(share, 3) for name, share in words.items()} | {
        "cells_in_rows": round(mean(each.rows for each in own if each.rows is not None), 3),
        "phrases_found": round(mean(each.phrases for each in own), 3),
        "hit_at_5": round(found[5], 3),
    }
    print(json.dumps(summary))


def table(made: Sequence[Sample], scores: dict[str, list[Score]]) -> str:
    """Return a line for each kind of document: phrases found / cells in rows / order, and ! where more was read."""
    lines = ["| document | " + " | ".join(scores) + " |", "|---" * (len(scores) + 1) + "|"]
    for kind in MAKERS:
        cells = [
            _cell([each for sample, each in zip(made, some, strict=True) if sample.kind == kind])
            for some in scores.values()
        ]
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(scores: Sequence[Score]) -> str:
    parts = [
        [each.phrases for each in scores],
        [each.rows for each in scores if each.rows is not None],
        [each.order for each in scores if each.order is not None],
    ]
    shown = " / ".join(f"{mean(part):.2f}" if part else "–" for part in parts)
    return shown if all(each.clean for each in scores) else f"{shown} !"


if __name__ == "__main__":
    main()
