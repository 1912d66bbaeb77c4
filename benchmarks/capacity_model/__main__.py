"""Prints what docs/scaling.md shows: measured loads, the model beside them, sizes, and what growth meets first.

.venv/bin/python -m benchmarks.capacity_model [PAGE] [--keep NAME]: with a page (docs/scaling.md), writes the tables
between its markers; --keep keeps the last result of `make load` among the measured loads, in place of the one with this
name.
"""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path

from benchmarks.capacity_model.check import comparisons
from benchmarks.capacity_model.costs import Costs, MeasuredLoad, costs_of, keep, measured_loads
from benchmarks.capacity_model.growth import limits_met, regions, ten_million
from benchmarks.capacity_model.sizing import sizes, usd_per_document
from benchmarks.load.__main__ import RESULTS
from benchmarks.load.plan import LoadPlan
from benchmarks.load.report import markdown, shown, table

BEGIN, END = "<!-- capacity model: begin {name} -->", "<!-- capacity model: end {name} -->"


def main() -> None:
    parser = ArgumentParser(prog="benchmarks.capacity_model", description=__doc__)
    parser.add_argument("page", type=Path, nargs="?", help="the page whose tables are written")
    parser.add_argument("--keep", metavar="NAME", help="keep the last load under this name; costs are the first one's")
    parser.add_argument("--results", type=Path, default=RESULTS, help="where that load is")
    given = parser.parse_args()
    if given.keep is not None:
        keep(given.keep, given.results)
    _show(given.page)


def _show(page: Path | None) -> None:
    if page is None:
        print("\n\n".join(text for _, text in sections()))
    else:
        page.write_text(with_tables(page.read_text()))


def with_tables(page: str) -> str:
    """Return the page with new tables between its markers. Raises ValueError where a marker is missing."""
    for name, text in sections():
        begin, end = BEGIN.format(name=name), END.format(name=name)
        before, found, rest = page.partition(begin)
        _, ends, after = rest.partition(end)
        if not found or not ends:
            raise ValueError(f"the page has no markers for {name}")
        page = f"{before}{begin}\n\n{text}\n\n{end}{after}"
    return page


def sections() -> Iterator[tuple[str, str]]:
    """Yield the names of the tables with their Markdown."""
    loads = measured_loads()
    costs = costs_of(loads)
    yield "measured", "\n\n".join(map(_load, loads))
    yield "check", _check(loads)
    yield "costs", _costs(costs)
    yield "sizes", _sizes(costs)
    yield "limits", _limits(costs)
    yield "ten million", _pairs(ten_million(costs))
    yield "regions", _pairs(regions(costs, 15.0))


def _load(load: MeasuredLoad) -> str:
    plan = LoadPlan(**load.plan)
    settings = ", ".join(f"`{name}={value}`" for name, value in load.settings.items())
    about = f"**{load.name}.** {load.when}, {load.machine}, load {load.load_before:.1f} before"
    return f"{about}{', ' + settings if settings else ''}: {table(plan, dict(load.figures))}"


def _check(loads: list[MeasuredLoad]) -> str:
    rows = [
        [each.load.name, each.figure, shown(each.measured), shown(each.modelled), f"{each.error:+.0%}"]
        for each in comparisons(loads)
    ]
    return markdown(["load", "figure", "measured", "model", "off by"], rows)


def _costs(costs: Costs) -> str:
    return _pairs(
        [
            ("processor time of the worker, ms a document", shown(1000 * costs.worker_cpu)),
            ("… of Postgres, ms a document", shown(1000 * costs.database_cpu)),
            ("… of the HTTP service, ms a document", shown(1000 * costs.intake_cpu)),
            ("… of the HTTP service, ms a search", shown(1000 * costs.search_cpu)),
            ("… of Postgres, ms a search", shown(1000 * costs.search_database_cpu)),
            ("cores of Dagster's processes, whatever the load", shown(costs.shared_cores)),
            ("chunks a document", shown(costs.chunks)),
            ("bytes a chunk: row, vector, indexes", _bytes(costs)),
            ("bytes a document, with its history", f"{costs.bytes_per_document:,.0f}"),
            ("written to the database's log, bytes a document", f"{costs.log_bytes:,.0f}"),
            ("both providers at list price, USD a document (computed)", f"{usd_per_document(costs):.4f}"),
        ]
    )


def _bytes(costs: Costs) -> str:
    return f"{costs.row_bytes:,.0f}, {costs.vector_bytes:,.0f}, {costs.index_bytes:,.0f}"


SIZE_COLUMNS = [
    *("documents a day", "busiest hour", "with providers at once", "workers", "cores", "memory, GB", "connections"),
    *("database, GB a year", "uploads a minute", "tokens a minute", "USD a month"),
]


def _sizes(costs: Costs) -> str:
    rows = [
        [
            f"{size.documents_per_day:,}",
            f"{size.peak_per_hour:,.0f}",
            f"{size.in_flight:,.0f}",
            f"{size.workers:,}",
            f"{size.cores:,}",
            f"{size.memory_gb:,.1f}",
            f"{size.connections:,}",
            f"{size.database_gb_per_year:,.0f}",
            f"{size.uploads_per_minute:,.0f}",
            f"{size.tokens_per_minute:,.0f}",
            f"{size.usd_per_month:,.0f}",
        ]
        for size in sizes(costs)
    ]
    return markdown(SIZE_COLUMNS, rows)


def _limits(costs: Costs) -> str:
    rows = [[limit.what, f"{limit.documents:,.0f} {limit.unit}", limit.how, limit.plan] for limit in limits_met(costs)]
    return markdown(["what", "documents", "because", "plan"], rows)


def _pairs(pairs: list[tuple[str, str]]) -> str:
    return markdown(["", ""], [list(pair) for pair in pairs])


if __name__ == "__main__":
    main()
