"""What a dashboard consists of, whatever draws it."""

from dataclasses import dataclass
from enum import StrEnum


class Mood(StrEnum):
    PLAIN = "plain"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure that matters by itself."""

    label: str
    value: str
    note: str = ""
    mood: Mood = Mood.PLAIN


@dataclass(frozen=True, slots=True)
class Tiles:
    title: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True, slots=True)
class Point:
    label: str
    value: float
    told: str
    """The value as people read it."""


@dataclass(frozen=True, slots=True)
class Series:
    """Values over time, at equal distances."""

    title: str
    about: str
    column: str
    """What the labels are: hour, day, month."""
    points: tuple[Point, ...]
    limit: Point | None = None
    """What the values are to be compared with."""


@dataclass(frozen=True, slots=True)
class Row:
    cells: tuple[str, ...]
    """The first one names the row."""
    value: float
    """How long the row's bar is, compared with the others."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows of which one value is drawn as a bar."""

    title: str
    about: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    nothing: str = "Nothing yet."
    """What is said if there are no rows."""


Panel = Tiles | Series | Ranking


@dataclass(frozen=True, slots=True)
class Dashboard:
    name: str
    """In an address: one word."""
    about: str
    panels: tuple[Panel, ...]
