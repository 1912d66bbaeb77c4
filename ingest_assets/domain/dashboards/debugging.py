"""The dashboard of those who look for a fault: what fails where, and where the time goes."""

from collections.abc import Iterable, Iterator
from math import isinf

from ingest_assets.domain import metrics
from ingest_assets.domain.dashboards.figures import Figures
from ingest_assets.domain.dashboards.measured import Distribution, Measured, by_value
from ingest_assets.domain.dashboards.panels import Dashboard, Mood, Panel, Ranking, Row, Tile, Tiles
from ingest_assets.domain.dashboards.words import number, seconds, share
from ingest_assets.domain.metrics import Metric
from ingest_assets.domain.queue.stages import ORDER

SINCE = "since counting began"


def debugging(figures: Figures) -> Dashboard:
    """Return the dashboard of those who look for a fault."""
    measured = Measured(figures.samples)
    stages = measured.distributions(metrics.STEP)
    in_order = [(stage.value, stages[stage.value,]) for stage in ORDER if (stage.value,) in stages]
    calls = [(labels[0], found) for labels, found in sorted(measured.distributions(metrics.CALL).items())]
    panels: tuple[Panel, ...] = (
        *_uncounted(measured),
        _failures(measured),
        _ranked("Retries by code", "code", measured, metrics.RETRIES_TOTAL),
        _ranked("Dead letters by code", "code", measured, metrics.DEAD_LETTERS_TOTAL),
        _times("Where the time goes", f"What it took to leave each stage with a result, {SINCE}.", "stage", in_order),
        _buckets(measured),
        _times("Provider times", f"Each call with the wait for its turn, {SINCE}.", "provider", calls),
        _outcomes(measured),
    )
    return Dashboard("debugging", "What fails, where, and where the time goes.", panels)


def _uncounted(measured: Measured) -> Iterator[Tiles]:
    behind = measured.value(metrics.HISTORY_BEHIND)
    if behind:
        note = "The next scrapes, reports and readers of this page make up for them."
        yield Tiles("Not counted yet", (Tile("Events", number(behind), note, Mood.WARNING),))


def _failures(measured: Measured) -> Ranking:
    found = sorted(measured.of(metrics.FAILURES_TOTAL), key=lambda each: (-each.value, each.labels))
    rows = tuple(
        Row((code, stage, kind, number(each.value)), each.value)
        for each in found
        for stage, code, kind in [each.labels]
    )
    about = f"Attempts that ended in an error, {SINCE}. Those of the kinds resource and outage only wait."
    return Ranking(
        "Errors by code and stage", about, ("code", "stage", "kind", "attempts"), rows, "No attempt has failed."
    )


def _ranked(title: str, label: str, measured: Measured, metric: Metric) -> Ranking:
    rows = tuple(Row((name, number(value)), value) for name, value in by_value(measured.sums(metric, label)))
    return Ranking(title, metric.help, (label, "times"), rows, "None.")


def _times(title: str, about: str, label: str, found: Iterable[tuple[str, Distribution]]) -> Ranking:
    rows = tuple(
        Row(
            (
                name,
                number(each.count),
                seconds(each.mean),
                _at_most(each, 0.5),
                _at_most(each, 0.95),
                seconds(each.total),
            ),
            each.total,
        )
        for name, each in found
        if each.count
    )
    columns = (label, "times", "mean", "half within", "95 % within", "together")
    return Ranking(title, f"{about} The bar is the time of all together.", columns, rows)


def _at_most(found: Distribution, wanted: float) -> str:
    bound = found.below(wanted)
    return f"over {seconds(found.bounds[-1])}" if isinf(bound) else seconds(bound)


def _buckets(measured: Measured) -> Ranking:
    found = measured.distributions(metrics.WAY).get(())
    rows = []
    if found is not None and found.count:
        seen = 0.0
        for bound, count in zip((*found.bounds, None), found.counts, strict=True):
            seen += count
            if count:
                name = f"over {seconds(found.bounds[-1])}" if bound is None else f"within {seconds(bound)}"
                rows.append(Row((name, number(count), share(seen, found.count)), count))
    about = f"{metrics.WAY.help} Each document counts once, {SINCE}."
    return Ranking("From queued to searchable", about, ("time", "documents", "so far"), tuple(rows))


def _outcomes(measured: Measured) -> Ranking:
    found = sorted(measured.of(metrics.CALLS_TOTAL), key=lambda each: each.labels)
    rows = tuple(Row((*each.labels, number(each.value)), each.value) for each in found)
    return Ranking(
        "Provider calls", metrics.CALLS_TOTAL.help, ("provider", "outcome", "calls"), rows, "None was ever called."
    )
