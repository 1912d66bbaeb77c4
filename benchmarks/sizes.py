"""How much each measurement does: the sizes of the published figures, and tiny ones to try the harness."""

from argparse import ArgumentParser
from dataclasses import dataclass, fields, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Sizes:
    repetitions: int = 3
    documents: int = 1_000
    """Of the backlog, of 10 KB each."""
    naive_documents: int = 20
    unchanged_files: int = 10_000
    stored_files: int = 200
    """Of which ten are edited and five deleted."""
    idle_latencies: int = 9
    live_latencies: int = 20
    row_documents: int = 100
    jobs_alone: int = 200
    search_chunks: tuple[int, ...] = (10_000, 100_000)
    queries: int = 150
    pdf_megabytes: float = 24.9
    """The largest file that is taken in by default has 25 MB."""
    scanned_pages: int = 100
    cost_documents: tuple[int, ...] = (1_000, 10_000, 100_000)
    partitions: int = 200
    requests: int = 200
    provider_documents: int = 400
    """Several times as many as are under way at once."""
    parse_seconds: float = 10.0
    """Of LlamaParse, as it is emulated."""
    embed_seconds: float = 0.5
    """Of a call of OpenAI's, as it is emulated."""


TINY = Sizes(
    repetitions=1,
    documents=60,
    naive_documents=2,
    unchanged_files=200,
    stored_files=30,
    idle_latencies=2,
    live_latencies=4,
    row_documents=10,
    jobs_alone=20,
    search_chunks=(1_000,),
    queries=20,
    pdf_megabytes=1,
    scanned_pages=4,
    cost_documents=(100, 300),
    partitions=8,
    requests=20,
    provider_documents=24,
    parse_seconds=1.0,
    embed_seconds=0.1,
)


def add_sizes(parser: ArgumentParser) -> None:
    """An option for each size; `sizes_of` reads them."""
    parser.add_argument("--tiny", action="store_true", help="the smallest sizes: whether it works, not how fast it is")
    for field in fields(Sizes):
        several = isinstance(field.default, tuple)
        kind = type(field.default[0]) if isinstance(field.default, tuple) else type(field.default)
        shown = " ".join(map(str, field.default)) if isinstance(field.default, tuple) else field.default
        options: dict[str, Any] = {"type": kind, "metavar": "N", "help": f"by default {shown}"}
        parser.add_argument("--" + field.name.replace("_", "-"), nargs="+" if several else None, **options)


def sizes_of(arguments: dict[str, Any]) -> Sizes:
    base = TINY if arguments["tiny"] else Sizes()
    chosen: dict[str, Any] = {}
    for field in fields(Sizes):
        value = arguments[field.name]
        if value is not None:
            chosen[field.name] = tuple(value) if isinstance(value, list) else value
    return replace(base, **chosen)
