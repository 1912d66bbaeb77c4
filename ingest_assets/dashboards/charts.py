"""Where the shapes of charts lie. Heights and widths go from 0 to 100; charts stretch to the space that there is."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest_assets.domain.dashboards.panels import Ranking, Row, Series

FULL = 100.0
GAP = 0.2
"""The share of a bar's place that stays empty."""
LEAST = 1.0
"""How high a bar of something is at least, so that it is seen."""


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    told: str


def bars(series: Series) -> list[Bar]:
    """Return a bar for each point, side by side, each one wide."""
    top = top_of(series)
    found = []
    for place, point in enumerate(series.points):
        height = _length(point.value, top)
        found.append(Bar(place + GAP / 2, round(FULL - height, 2), 1 - GAP, height, f"{point.label}: {point.told}"))
    return found


def height_of(series: Series, value: float) -> float:
    """Return how far below the top a value lies."""
    return round(FULL - _length(value, top_of(series)), 2)


def top_of(series: Series) -> float:
    limit = [] if series.limit is None else [series.limit]
    return max((each.value for each in (*series.points, *limit)), default=0.0)


def bar_width(ranking: Ranking, row: Row) -> float:
    """Return how long a row's bar is."""
    return _length(row.value, _longest(ranking.rows))


def _longest(rows: Sequence[Row]) -> float:
    return max((each.value for each in rows), default=0.0)


def _length(value: float, longest: float) -> float:
    if value <= 0 or longest <= 0:
        return 0.0
    return round(max(LEAST, FULL * value / longest), 2)
