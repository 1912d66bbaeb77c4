"""What the dashboards say of what there is."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from ingest_assets.domain import metrics
from ingest_assets.domain.dashboards.business import DAYS, MONTHS, business
from ingest_assets.domain.dashboards.debugging import debugging
from ingest_assets.domain.dashboards.figures import Day, Figures, Growth, Hour
from ingest_assets.domain.dashboards.operations import HOURS, operations
from ingest_assets.domain.dashboards.panels import Dashboard, Mood, Ranking, Series, Tile, Tiles
from ingest_assets.domain.metrics import SUM, Metric, Sample
from ingest_assets.domain.predictions import MonthPrediction, TooLittle, WorkPrediction
from ingest_assets.domain.queue.flow import Flow
from ingest_assets.domain.queue.pauses import Pause, Paused
from ingest_assets.domain.spending.costs import ProviderCosts
from ingest_assets.domain.spending.providers import ProviderName

NOW = datetime(2026, 1, 2, 12, 30, tzinfo=UTC)
TODAY = NOW.date()
IDLE = Flow(NOW, 0, None, 0, None, 0, 0, 0, 0, None, None)
WAITING = replace(IDLE, waiting=3, waiting_since=NOW - timedelta(hours=2))
NOTHING = Figures(
    at=NOW,
    flow=IDLE,
    pauses=(),
    samples=(),
    hours=(),
    days=(),
    growth=(),
    costs=(),
    promise=timedelta(minutes=10),
    work=TooLittle(3, 20),
    month=TooLittle(0, 7),
)


def tile(dashboard: Dashboard, label: str) -> Tile:
    tiles = [each for panel in dashboard.panels if isinstance(panel, Tiles) for each in panel.tiles]
    [found] = [each for each in tiles if each.label == label]
    return found


def series(dashboard: Dashboard, title: str) -> Series:
    [found] = [panel for panel in dashboard.panels if isinstance(panel, Series) and panel.title == title]
    return found


def rows(dashboard: Dashboard, title: str) -> list[tuple[str, ...]]:
    [found] = [panel for panel in dashboard.panels if isinstance(panel, Ranking) and panel.title == title]
    assert all(len(row.cells) == len(found.columns) for row in found.rows)
    return [row.cells for row in found.rows]


def with_samples(*samples: Sample) -> Figures:
    return replace(NOTHING, samples=samples)


def a_day(day: date, queued: int, searchable: int = 0, dead_letters: int = 0, in_time: int = 0) -> Day:
    return Day(day, queued, 1, searchable, dead_letters, in_time, searchable + dead_letters)


def costs(day: date, micro_usd: int, provider: str = "openai") -> ProviderCosts:
    return ProviderCosts(ProviderName(provider), day, None, 1, 0, 0, 0, micro_usd)


def test_of_nothing_there_is_something_to_say() -> None:
    for make in (operations, business, debugging):
        made = make(NOTHING)
        assert made.panels
        assert all(panel.rows == () and panel.nothing for panel in made.panels if isinstance(panel, Ranking))
    assert tile(business(NOTHING), "Success rate").value == "–"


@pytest.mark.parametrize(
    ("flow", "pauses", "value", "mood"),
    [
        (IDLE, [], "idle", Mood.GOOD),
        (WAITING, [], "unattended", Mood.BAD),
        (replace(WAITING, workers=1), [], "flowing", Mood.GOOD),
        (replace(WAITING, workers=1), [Pause(Paused(), NOW)], "paused", Mood.WARNING),
        (replace(IDLE, retrying=2), [], "retrying", Mood.WARNING),
    ],
)
def test_the_verdict_on_the_queue_comes_first(flow: Flow, pauses: Sequence[Pause], value: str, mood: Mood) -> None:
    found = tile(operations(replace(NOTHING, flow=flow, pauses=pauses)), "Queue")
    assert (found.value, found.mood) == (value, mood)


def test_a_prediction_says_how_wrong_its_like_was_and_what_it_depends_on() -> None:
    work = WorkPrediction(7200, 500, 0.5, 0.25)
    found = tile(operations(replace(NOTHING, flow=WAITING, work=work)), "Backlog done in")
    assert found.value == "2 h"
    assert found.note == (
        "Once somebody works on it. By type and size, from the last 500 documents. "
        "Half of such predictions in the past were off by 25.0 % or less."
    )
    young = replace(NOTHING, work=replace(work, batch_error=None))
    assert tile(operations(young), "Backlog done in").note.endswith("is not known yet.")
    none = tile(operations(NOTHING), "Backlog done in")
    assert (none.value, "3 of the 20" in none.note) == ("unknown", True)


def test_each_hour_has_its_place_even_if_nothing_happened() -> None:
    this = NOW.replace(minute=0)
    figures = replace(NOTHING, hours=[Hour(this - timedelta(hours=47), 5), Hour(this, 7)])
    points = series(operations(figures), "Throughput").points
    assert len(points) == HOURS
    assert [point.value for point in points] == [5, *[0] * (HOURS - 2), 7]


def test_stages_stand_in_their_order_with_their_states_and_their_oldest() -> None:
    figures = with_samples(
        Sample(metrics.JOBS, ("embedding", "deadletter"), 2),
        Sample(metrics.JOBS, ("embedding", "working"), 1),
        Sample(metrics.JOBS, ("queued", "queued"), 4),
        Sample(metrics.JOBS, ("embedded", "done"), 99),
        Sample(metrics.OLDEST, ("queued",), 300),
    )
    assert rows(operations(figures), "Queue") == [
        ("queued", "4", "0", "0", "0", "5 min"),
        ("embedding", "0", "1", "0", "2", ""),
    ]


@pytest.mark.parametrize(("spent", "mood"), [(1, Mood.GOOD), (8.5, Mood.WARNING), (10, Mood.BAD)])
def test_a_budget_warns_before_it_is_spent(spent: float, mood: Mood) -> None:
    figures = with_samples(Sample(metrics.BUDGET_SPENT, (), spent), Sample(metrics.BUDGET_LIMIT, (), 10))
    assert tile(operations(figures), "Budget of today").mood is mood


@pytest.mark.parametrize(("free", "mood"), [(50, Mood.GOOD), (10, Mood.WARNING)])
def test_a_disk_warns_before_it_is_full(free: float, mood: Mood) -> None:
    figures = with_samples(Sample(metrics.DISK_SIZE, ("home",), 100), Sample(metrics.DISK_FREE, ("home",), free))
    assert tile(operations(figures), "Disk of the home").mood is mood


def test_a_sensor_that_is_off_and_a_silent_daemon_are_seen() -> None:
    figures = with_samples(
        Sample(metrics.SENSOR_ON, ("queued_jobs",), 0), Sample(metrics.HEARTBEAT_AGE, ("SENSOR",), 600)
    )
    assert tile(operations(figures), "Sensor of the queue").mood is Mood.BAD
    assert tile(operations(figures), "Dagster's daemon").value == "silent"


def test_weeks_begin_on_monday_and_months_on_their_first_day() -> None:
    days = [
        a_day(date(2025, 12, 28), 1),
        a_day(date(2025, 12, 29), 10, 10, 0, 5),
        a_day(date(2025, 12, 31), 10, 5, 5, 5),
        a_day(date(2026, 1, 1), 100, 90, 10, 90),
    ]
    made = business(replace(NOTHING, days=days))
    assert rows(made, "By week") == [
        ("from 29 Dec 2025", "120", "105", "87.5 %", "83.3 %"),
        ("from 22 Dec 2025", "1", "0", "–", "–"),
    ]
    assert rows(made, "By month") == [
        ("January 2026", "100", "90", "90.0 %", "90.0 %"),
        ("December 2025", "21", "15", "75.0 %", "50.0 %"),
    ]
    assert (tile(made, "Success rate").value, tile(made, "Promise kept (SLA)").value) == ("87.5 %", "83.3 %")


def test_only_the_last_periods_are_shown() -> None:
    days = [a_day(date(2024 + month // 12, month % 12 + 1, 1), 1) for month in range(24)]
    assert len(rows(business(replace(NOTHING, days=days)), "By month")) == MONTHS


def test_growth_counts_all_that_came_before() -> None:
    growth = [Growth(TODAY - timedelta(days=400), 2, 50), Growth(TODAY, 1, 3)]
    made = business(replace(NOTHING, growth=growth))
    assert [point.value for point in series(made, "Growth").points] == [*[50] * (DAYS - 1), 53]
    assert series(made, "Growth").about.endswith("New users in these 30 days: 1.")
    assert (tile(made, "Users").value, tile(made, "Documents").value) == ("3", "53")


def test_costs_of_all_providers_are_added_up_by_day_and_stand_beside_the_budget() -> None:
    both = [costs(TODAY, 2_000_000), costs(TODAY, 1_000_000, "llamaparse")]
    figures = replace(
        with_samples(Sample(metrics.BUDGET_LIMIT, (), 5)),
        costs=both,
        month=MonthPrediction(93_000_000, 3_000_000, 9, 0.1),
    )
    made = business(figures)
    shown = series(made, "Costs a day")
    assert [point.value for point in shown.points] == [*[0] * (DAYS - 1), 3]
    assert shown.limit is not None
    assert shown.limit.told == "$5.00"
    assert tile(made, "This month will cost").value == "$93.00"
    assert "off by 10.0 % or less" in tile(made, "This month will cost").note


def histogram(metric: Metric, labels: tuple[str, ...], total: float, **counts: int) -> list[Sample]:
    bounds = {name.removeprefix("le_").replace("_", "."): count for name, count in counts.items()}
    return [Sample(metric, labels, count, bound) for bound, count in bounds.items()] + [
        Sample(metric, labels, total, SUM)
    ]


def test_times_are_told_by_the_bounds_that_they_do_not_exceed() -> None:
    figures = with_samples(
        *histogram(metrics.STEP, ("parsing",), 60.0, le_0_1=60, le_10_0=39, le_600_0=1),
        *histogram(metrics.STEP, ("chunking",), 2.0, le_0_1=20),
        *histogram(metrics.CALL, ("openai",), 900.0, **{"+Inf": 1}),
    )
    made = debugging(figures)
    assert rows(made, "Where the time goes") == [
        ("parsing", "100", "600 ms", "100 ms", "10 s", "60 s"),
        ("chunking", "20", "100 ms", "100 ms", "100 ms", "2.0 s"),
    ]
    assert rows(made, "Provider times") == [("openai", "1", "900 s", "over 600 s", "over 600 s", "900 s")]


def test_errors_are_told_by_code_and_stage_the_most_frequent_first() -> None:
    figures = with_samples(
        Sample(metrics.FAILURES_TOTAL, ("parsing", "corrupt", "permanent"), 2),
        Sample(metrics.FAILURES_TOTAL, ("embedding", "timeout", "transient"), 7),
    )
    assert rows(debugging(figures), "Errors by code and stage") == [
        ("timeout", "embedding", "transient", "7"),
        ("corrupt", "parsing", "permanent", "2"),
    ]


def test_what_is_not_counted_yet_is_said() -> None:
    assert tile(debugging(with_samples(Sample(metrics.HISTORY_BEHIND, (), 500))), "Events").value == "500"
    assert not [panel for panel in debugging(NOTHING).panels if isinstance(panel, Tiles)]
