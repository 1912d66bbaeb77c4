"""The figures of a load as tables that people read."""

from collections.abc import Iterator, Sequence

from benchmarks.figures import Figures
from benchmarks.load.plan import LoadPlan

TARGETS = {
    "documents_per_hour": (">=", 10_000.0),
    "intake_p95_ms": ("<", 100.0),
    "search_p95_ms": ("<", 100.0),
    "errors": ("<=", 0.0),
}
EDGES = 0.995
"""What part of a lower offered rate counts as sustained: some documents are under way when the time begins and ends."""
LABELS = {
    "documents_per_hour": "documents that became searchable, per hour",
    "intake_p50_ms": "POST of a document, p50, ms",
    "intake_p95_ms": "… p95, ms",
    "intake_p99_ms": "… p99, ms",
    "search_p50_ms": "search without its provider's time, p50, ms",
    "search_p95_ms": "… p95, ms",
    "search_p99_ms": "… p99, ms",
    "search_with_provider_p50_ms": "search as its caller sees it, p50, ms",
    "search_with_provider_p95_ms": "… p95, ms",
    "searches_per_second": "searches answered per second",
    "errors": "errors that nothing injected explains",
    "faults_injected": "faults injected at the providers",
    "searches_failed_as_injected": "searches that failed by an injected fault",
    "accepted": "documents accepted",
    "searchable": "… searchable at the end",
    "dead_letters_planned": "… in the dead letters, because nobody can parse them",
    "ended_wrongly": "… ended otherwise",
    "paid_twice": "paid twice without an injected cause",
    "queue_wait_p95_s": "wait in the queue, p95, s",
    "searchable_p50_s": "from queued to searchable, p50, s",
    "searchable_p95_s": "… p95, s",
    "parse_noticed_after_p50_s": "end of a remote parse noticed after, p50, s",
    "parse_noticed_after_p95_s": "… p95, s",
    "polls_per_parse": "polls per remote parse",
    "parses_in_flight": "remote parses under way at once",
    "queue_ended_after_s": "the queue was empty after the last document, s",
    "worker_mb": "largest worker, MB resident",
    "worker_pss_mb": "… with shared pages divided, MB",
    "chunks_per_document": "chunks per document",
    "events_per_document": "events per document",
    "row_bytes_per_chunk": "bytes per chunk: row",
    "vector_bytes_per_chunk": "… vector",
    "index_bytes_per_chunk": "… indexes",
    "history_bytes_per_document": "bytes of history per document",
    "wal_mb_per_s": "written to the database's log, MB/s",
    "commits_per_s": "commits per second",
    "callers_late_p95_ms": "requests sent late by the test itself, p95, ms",
}


def table(plan: LoadPlan, measured: Figures) -> str:
    """Return Markdown: the figures with their targets, then the processes."""
    about = (
        f"{plan.documents_per_hour:g} documents/h and {plan.searches_per_second:g} searches/s by {plan.users} users "
        f"for {plan.minutes:g} min; a parse takes {plan.parse_seconds:g} s, an embedding {plan.embed_seconds:g} s"
    )
    rows = [
        [label, shown(measured[name]), *_target(plan, name, measured[name])]
        for name, label in LABELS.items()
        if name in measured
    ]
    whole = markdown(["", "measured", "target", "met"], rows)
    return "\n\n".join([about, whole, markdown(PROCESS_COLUMNS, list(_processes(measured)))])


PROCESS_COLUMNS = ["process", "cores", "CPU ms per document", "largest MB", "growth MB"]


def _processes(measured: Figures) -> Iterator[list[str]]:
    kinds = [name.removeprefix("cores_") for name in measured if name.startswith("cores_")]
    for kind in sorted(kinds, key=lambda kind: -measured[f"cores_{kind}"]):
        names = (f"cores_{kind}", f"cpu_ms_per_document_{kind}", f"mb_{kind}", f"growth_mb_{kind}")
        yield [kind.replace("_", " "), *(shown(measured[name]) if name in measured else "" for name in names)]
    total = sum(measured[f"cores_{kind}"] for kind in kinds)
    yield ["all", shown(total), "", "", ""]


def _target(plan: LoadPlan, name: str, figure: float) -> tuple[str, str]:
    if name not in TARGETS:
        return "", ""
    sign, bound = TARGETS[name]
    if name == "documents_per_hour":
        bound = min(bound, EDGES * plan.documents_per_hour)
    met = {"<": figure < bound, "<=": figure <= bound, ">=": figure >= bound}[sign]
    return f"{sign} {bound:g}", "yes" if met else "no"


def shown(figure: float) -> str:
    """Return a figure with the digits that mean something."""
    return f"{figure:,.0f}" if abs(figure) >= 1000 or figure == round(figure) else f"{figure:.3g}"


def markdown(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    widths = [max(len(row[number]) for row in [columns, *rows]) for number in range(len(columns))]
    lines = [columns, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    )
