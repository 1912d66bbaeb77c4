"""The figures of results/latest.json as tables, each beside its floor and what is asked of it.

.venv/bin/python -m benchmarks.report [docs/performance.md]
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any

from benchmarks.figures import LATEST, stored_results


@dataclass(frozen=True, slots=True)
class Target:
    """`of_floor`: it is the share of the floor that must be reached, not the figure itself."""

    least: float = -inf
    most: float = inf
    of_floor: bool = False

    def __str__(self) -> str:
        bound = f"≤ {self.most:g}" if isfinite(self.most) else f"≥ {self.least:g}"
        return f"{bound} of the floor" if self.of_floor else bound

    def is_met(self, figure: float, ratio: float | None) -> bool:
        value = ratio if self.of_floor else figure
        return value is not None and self.least <= value <= self.most


@dataclass(frozen=True, slots=True)
class Line:
    what: str
    figure: str
    floor: str | None = None
    target: Target | None = None


LINES = (
    Line(
        "cold backlog, with its index, documents/s",
        "backlog_docs_per_s",
        "backlog_floor_docs_per_s",
        Target(least=0.5, of_floor=True),
    ),
    Line("… until the last document is done, documents/s", "backlog_done_docs_per_s", "backlog_floor_copy_docs_per_s"),
    Line(
        "… from the first to the last document, documents/s",
        "backlog_steady_docs_per_s",
        "backlog_floor_copy_docs_per_s",
    ),
    Line("… its vector index after the last document, s", "backlog_index_s", "backlog_floor_index_s"),
    Line("recall@10 after the backlog", "recall_at_10", None, Target(least=0.97)),
    Line("memory growth of its worker, MB", "worker_growth_mb", "worker_floor_growth_mb", Target(most=150)),
    Line("naive Dagster, a run per document, documents/s", "naive_dagster_docs_per_s", "backlog_floor_docs_per_s"),
    Line("first submission of a folder, files/s", "intake_files_per_s", "noop_floor_hash_files_per_s"),
    Line("unchanged folder, files/s", "noop_files_per_s", "noop_floor_walk_files_per_s", Target(least=2000)),
    Line(
        "10 of 200 files edited, 5 deleted: texts embedded", "edit_texts_embedded", "edit_floor_texts", Target(most=15)
    ),
    Line("one document on an idle deployment, p50, s", "latency_cold_p50_s", "document_s", Target(most=6)),
    Line("one document while a drain run lives, p50, s", "latency_warm_p50_s", "document_s", Target(most=1)),
    Line("UI backfill, per partition, s", "backfill_s_per_partition", "naive_dagster_s_per_run", Target(most=1)),
    Line("UI backfill: every partition's status is true", "backfill_is_truthful", None, Target(least=1)),
    Line("cost per document at 100,000 by that at 1,000", "cost_ratio_100k_to_1k", None, Target(most=1.2)),
    Line("… at 1,000, ms", "cost_1k_ms"),
    Line("… at 10,000, ms", "cost_10k_ms"),
    Line("… at 100,000, ms", "cost_100k_ms"),
    Line("search of a 1 % user among 100,000 chunks, p95, ms", "search_p95_ms", "search_floor_ms", Target(most=10)),
    Line("… recall@10 of its vectors", "search_filtered_recall", None, Target(least=0.95)),
    Line("words found on pages scanned at 200 dpi", "words_found_200dpi", None, Target(least=0.98)),
    Line("… 1° askew", "words_found_skewed", None, Target(least=0.97)),
    Line("… faxed", "words_found_fax", None, Target(least=0.9)),
    Line("a PDF of 25 MB, s", "pdf_s", "pdf_floor_parser_s"),
    Line("… its worker at most, MB", "pdf_worker_mb"),
    Line("… its parser at most, MB", "pdf_parser_mb"),
    Line("POST of 100 KB, p95, s", "http_post_p95_s", "http_post_floor_p95_s"),
    Line(
        "through services of 10 s and 0.5 s, documents/h",
        "providers_docs_per_hour",
        "providers_floor_docs_per_hour",
        Target(least=8000),
    ),
    Line("… from the submission to the last document, documents/h", "providers_whole_docs_per_hour"),
    Line("… its worker at most, MB", "providers_worker_mb", None, Target(most=300)),
    Line("… parse jobs under way at most", "providers_in_flight"),
    Line("one worker with 200 parses allowed at a time: parse jobs under way", "crowd_parses_in_flight"),
    Line("… embedding requests under way, of 64 allowed", "crowd_embeddings_in_flight"),
    Line("… its worker at most, MB", "crowd_worker_mb", None, Target(most=400)),
    Line("job made, per document, ms", "row_job_ms", "row_job_floor_ms"),
    Line("one job made alone, ms", "job_made_ms", "job_made_floor_ms", Target(most=1.5)),
    Line("… with its bytes stored, ms", "job_made_and_stored_ms"),
    Line("claim of 10, per job, ms", "row_claim_10_ms", "row_claim_floor_ms"),
    Line("claim of 32, per job, ms", "row_claim_32_ms", "row_claim_floor_ms"),
    Line("stage change with its event, ms", "row_event_ms", "row_event_floor_ms"),
    Line("chunk buffered, per row, ms", "row_chunk_ms", "row_chunk_floor_ms"),
    Line("vector buffered, per row, ms", "row_vector_ms", "row_vector_floor_ms"),
    Line("chunk made searchable, per row, ms", "row_commit_ms", "row_commit_floor_ms"),
)

SEARCH_COLUMNS = (
    *("recall", "nearest_p50_ms", "nearest_p95_ms", "hybrid_p50_ms", "hybrid_p95_ms"),
    *("exact_p50_ms", "round_trip_p50_ms"),
)


def main(document: Path | None) -> None:
    """Prints the tables, or puts them below the heading "Results" of a document, in the place of what is there."""
    results = stored_results(LATEST)
    tables = (table(results), _search_table(results), _memory_table(results), _load_table(results))
    text = "\n\n".join((_machine(results["machine"]), *tables)) + "\n"
    if document is None:
        print(text, end="")
        return
    kept, heading, _ = document.read_text().partition("\n## Results\n")
    document.write_text(f"{kept}{heading}\n{text}")


def _machine(machine: Mapping[str, Any]) -> str:
    return (
        f"{machine['cpus']} cores of {machine['processor']}, {machine['memory_gb']} GB, {machine['system']}, "
        f"Python {machine['python']}."
    )


def table(results: Mapping[str, Any]) -> str:
    """The main figures: median, least and greatest, floor, ratio to the floor, and the target where there is one."""
    figures, spread = results["figures"], results["spread"]
    rows = [_row(line, figures, spread) for line in LINES if line.figure in figures]
    return _markdown(("", "median", "least … greatest", "floor", "by floor", "target", "met"), rows)


def _row(line: Line, figures: Mapping[str, float], spread: Mapping[str, Sequence[float]]) -> Sequence[str]:
    figure, floor = figures[line.figure], figures.get(line.floor or "")
    ratio = figure / floor if floor else None
    least, most = spread[line.figure]
    return (
        line.what,
        _number(figure),
        "" if least == most else f"{_number(least)} … {_number(most)}",
        "" if floor is None else _number(floor),
        "" if ratio is None else _number(ratio),
        "" if line.target is None else str(line.target),
        "" if line.target is None else ("yes" if line.target.is_met(figure, ratio) else "no"),
    )


def _search_table(results: Mapping[str, Any]) -> str:
    figures = results["figures"]
    places = dict.fromkeys(
        tuple(name.split("_")[1:3])
        for name in figures
        if name.startswith("search_") and name.endswith("_recall") and name != "search_filtered_recall"
    )
    rows = [
        (
            chunks,
            f"{float(share):.1%}",
            *(_number(figures[f"search_{chunks}_{share}_{column}"]) for column in SEARCH_COLUMNS),
        )
        for chunks, share in sorted(places, key=lambda place: (int(place[0]), -float(place[1])))
    ]
    return _markdown(("chunks", "user's share", *(column.replace("_", " ") for column in SEARCH_COLUMNS)), rows)


def _memory_table(results: Mapping[str, Any]) -> str:
    figures = results["figures"]
    peaks = {name[5:-3]: value for name, value in figures.items() if name.startswith("peak_")}
    return _markdown(
        ("process of the backlog", "peak MB"), [(name.replace("_", " "), _number(mb)) for name, mb in peaks.items()]
    )


def _load_table(results: Mapping[str, Any]) -> str:
    rows = [
        (
            name,
            str(each["repetitions"]),
            _number(each["seconds"]),
            f"{each['load_before']:.1f}",
            f"{each['load_after']:.1f}",
        )
        for name, each in results["measurements"].items()
    ]
    return _markdown(("measurement", "repetitions", "s", "load before", "after"), rows)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = [heads, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
