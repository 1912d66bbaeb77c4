"""The dashboard of those who pay for it: what it does for whom, how well, and what it costs."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import accumulate

from ingest_assets.domain import metrics
from ingest_assets.domain.dashboards.figures import Day, Figures
from ingest_assets.domain.dashboards.measured import Measured
from ingest_assets.domain.dashboards.panels import Dashboard, Mood, Panel, Point, Ranking, Row, Series, Tile, Tiles
from ingest_assets.domain.dashboards.words import number, percent, share, usd
from ingest_assets.domain.predictions import TooLittle
from ingest_assets.domain.spans import span
from ingest_assets.domain.spending.costs import by_day

DAYS = 30
WEEKS = 12
MONTHS = 12


def business(figures: Figures) -> Dashboard:
    """Return the dashboard of those who pay."""
    today = figures.at.date()
    panels: tuple[Panel, ...] = (
        Tiles("Service", tuple(_service(figures))),
        _documents_by_day(figures, today),
        _periods("week", figures, _week, "from %d %b %Y", WEEKS),
        _periods("month", figures, _month, "%B %Y", MONTHS),
        _growth(figures, today),
        Tiles("Costs", tuple(_costs(figures))),
        _costs_by_day(figures, today),
    )
    return Dashboard("business", "What was made searchable, how fast, for how many users, and at what cost.", panels)


def _service(figures: Figures) -> Iterator[Tile]:
    month = [each for each in figures.days if each.day > figures.at.date() - timedelta(days=DAYS)]
    searchable, dead = _sum(month, "searchable"), _sum(month, "dead_letters")
    note = f"{number(searchable)} searchable, {number(dead)} dead letters, queued in the last {DAYS} days"
    yield Tile("Success rate", share(searchable, searchable + dead), note)
    in_time, due = _sum(month, "in_time"), _sum(month, "due")
    kept = f"searchable within {span(figures.promise)} of being queued: {number(in_time)} of {number(due)} due"
    yield Tile("Promise kept (SLA)", share(in_time, due), kept)
    yield Tile("Documents", number(sum(each.documents for each in figures.growth)), "that are there now")
    yield Tile("Users", number(sum(each.users for each in figures.growth)), "with documents")


def _documents_by_day(figures: Figures, today: date) -> Series:
    found = {each.day: each.queued for each in figures.days}
    points = tuple(Point(_day(day), found.get(day, 0), number(found.get(day, 0))) for day in _last_days(today))
    return Series(
        "Documents a day", f"Documents by the UTC day on which they were last queued, {DAYS} days.", "day", points
    )


def _periods(period: str, figures: Figures, begin_of: Callable[[date], date], called: str, most: int) -> Ranking:
    """Return what became of the documents of the last periods, the newest first.

    Args:
        period: The word for one.
        figures: What is known.
        begin_of: Gives the first day of a day's period.
        called: How a first day is written to name its period.
        most: How many periods there are.
    """
    groups: dict[date, list[Day]] = defaultdict(list)
    for each in figures.days:
        groups[begin_of(each.day)].append(each)
    rows = []
    for begin, days in sorted(groups.items(), reverse=True)[:most]:
        queued, searchable, dead = (_sum(days, what) for what in ("queued", "searchable", "dead_letters"))
        success, promise = share(searchable, searchable + dead), share(_sum(days, "in_time"), _sum(days, "due"))
        rows.append(Row((f"{begin:{called}}", number(queued), number(searchable), success, promise), queued))
    columns = (period, "documents", "searchable", "success", "promise kept")
    about = f"Documents by the {period} in which they were last queued, and what has become of them."
    return Ranking(f"By {period}", about, columns, tuple(rows), "No document was ever queued.")


def _growth(figures: Figures, today: date) -> Series:
    found = {each.day: each.documents for each in figures.growth}
    days = list(_last_days(today))
    before = sum(count for day, count in found.items() if day < days[0])
    totals = accumulate((found.get(day, 0) for day in days), initial=before)
    next(totals)
    points = tuple(Point(_day(day), total, number(total)) for day, total in zip(days, totals, strict=True))
    users = sum(each.users for each in figures.growth if each.day in set(days))
    about = f"All documents that are there now, by the day they came. New users in these {DAYS} days: {users}."
    return Series("Growth", about, "day", points)


def _costs(figures: Figures) -> Iterator[Tile]:
    month = figures.month
    measured = Measured(figures.samples)
    if isinstance(month, TooLittle):
        told = f"{month.found} of the {month.needed} whole days since the first cost that a prediction needs"
        yield Tile("This month will cost", "unknown", f"Too little history: {told}.")
    else:
        exact = (
            "How exact such predictions are is not known yet."
            if month.week_error is None
            else f"Half of the predictions of a past week were off by {percent(month.week_error)} or less."
        )
        note = f"By the costs of the last {month.learnt_from} days. {exact}"
        yield Tile("This month will cost", usd(month.micro_usd), note)
        yield Tile("This month so far", usd(month.spent_micro_usd))
    limit, spent = measured.value(metrics.BUDGET_LIMIT), measured.value(metrics.BUDGET_SPENT)
    if limit and spent is not None:
        mood = Mood.BAD if spent >= limit else Mood.GOOD
        yield Tile(
            "Today, spent or reserved",
            usd(spent * 1e6),
            f"{percent(spent / limit)} of today's budget of {usd(limit * 1e6)}",
            mood,
        )
    elif spent is not None:
        yield Tile("Today, spent or reserved", usd(spent * 1e6), "No budget is set.")
    uncertain = sum(each.uncertain.micro_usd for each in figures.costs)
    if uncertain:
        yield Tile("Uncertain", usd(uncertain), "At most this was spent on calls whose answers never arrived.")


def _costs_by_day(figures: Figures, today: date) -> Series:
    found = by_day(figures.costs)
    points = tuple(Point(_day(day), found.get(day, 0) / 1e6, usd(found.get(day, 0))) for day in _last_days(today))
    limit = Measured(figures.samples).value(metrics.BUDGET_LIMIT)
    budget = None if limit is None else Point("budget", limit, usd(limit * 1e6))
    return Series("Costs a day", f"US dollars by UTC day, all providers, {DAYS} days.", "day", points, budget)


def _sum(days: Iterable[Day], what: str) -> int:
    return sum(getattr(each, what) for each in days)


def _day(day: date) -> str:
    return f"{day:%d %b}"


def _last_days(today: date) -> Iterator[date]:
    return (today - timedelta(days=back) for back in reversed(range(DAYS)))


def _week(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _month(day: date) -> date:
    return day.replace(day=1)
