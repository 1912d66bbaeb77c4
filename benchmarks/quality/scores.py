"""How much of a document's content is in a text that somebody has read from it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.quality.documents import Sample

MARKUP = re.compile(r"[*_`|\\#>]+|&nbsp;")
LEAKED = ("crimson", "sep=")


@dataclass(frozen=True, slots=True)
class Score:
    """Shares from 0 to 1; None where the document holds nothing of the kind."""

    phrases: float
    rows: float | None
    order: float | None
    clean: bool
    """Whether nothing that is no text was taken for text."""


def score(sample: Sample, text: str) -> Score:
    flat = _flat(text)
    lines = [_flat(line) for line in text.splitlines()]
    return Score(
        phrases=_share([_flat(phrase) in flat for phrase in sample.phrases]),
        rows=_share([any(_holds(line, row) for line in lines) for row in sample.rows]) if sample.rows else None,
        order=_share(_in_order(flat, sample.ordered)) if sample.ordered else None,
        clean=not any(word in text for word in LEAKED),
    )


def _flat(text: str) -> str:
    return " ".join(MARKUP.sub(" ", text).split()).lower().replace(" %", "%")


def _holds(line: str, row: Sequence[str]) -> bool:
    """Return whether the line has the cells of the row, in order."""
    at = 0
    for cell in map(_flat, row):
        at = line.find(cell, at)
        if at < 0:
            return False
        at += len(cell)
    return True


def _in_order(text: str, phrases: Sequence[str]) -> list[bool]:
    places = [text.find(_flat(phrase)) for phrase in phrases]
    return [0 <= before < after for before, after in pairwise(places)]


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found)
