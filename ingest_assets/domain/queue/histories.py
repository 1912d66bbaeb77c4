"""Which events may follow each other in a document's history. The order of events is that of their ids.

Their times prove nothing: a server's clock may be set back.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from ingest_assets.domain.queue.jobs import Event
from ingest_assets.domain.queue.stages import ORDER, STATE_MOVES, Stage, State, is_legal, predecessor, sources

DELETED = "deleted"
"""The code of a history's last event."""


@dataclass(frozen=True, slots=True)
class Point:
    """An event as its neighbours see it."""

    stage: Stage
    state: State
    begins: bool
    """Whether a worker takes the job here, rather than moving it on."""
    tells: bool
    """Whether the event carries a step's result."""


BEGINNING = Point(Stage.QUEUED, State.QUEUED, begins=False, tells=False)
"""The first point of each version."""


def may_follow(before: Point, after: Point) -> bool:
    """Return whether `after` may come next in the history of one version."""
    if after.state not in STATE_MOVES[before.state]:
        return False
    if after.begins:
        return after.stage is before.stage and after.state is State.WORKING and not after.tells
    if after.state is State.WORKING:
        return before.state is State.WORKING and _may_move(before, after)
    if after.state is State.DONE:
        return before.stage in sources(after.stage)
    if before.state is State.DONE:
        return after.stage is not Stage.EMBEDDED
    return after.stage is before.stage and (before.state, after.state) != (State.QUEUED, State.QUEUED)


def _may_move(before: Point, after: Point) -> bool:
    """Return whether a worker may go on like this within one attempt, in which it passes each stage once."""
    if before.begins:
        return before.stage in sources(after.stage)
    if before.stage is Stage.EMBEDDING:
        return after.stage is Stage.EMBEDDING and after.tells and not before.tells
    return after.stage is not Stage.QUEUED and before.stage is predecessor(after.stage)


def legal_steps() -> Iterator[tuple[Point, Point]]:
    """Yield every pair of points that may follow each other."""
    points = [
        Point(stage, state, begins, tells)
        for stage, state, begins, tells in product(ORDER, State, (False, True), (False, True))
        if is_legal(stage, state) and (state is State.WORKING or not begins)
    ]
    yield from (pair for pair in product(points, points) if may_follow(*pair))


def first_illegal(history: Sequence[Event]) -> Event | None:
    """Return the first event of a document's whole history that may not be where it is, or None."""
    if history and not _begins_version(history[0], 1):
        return history[0]
    for (before, here), (after, there) in pairwise(zip(history, _points(history), strict=True)):
        if not _may_come(before, here, after, there):
            return after
    return None


def _may_come(before: Event, here: Point, after: Event, there: Point) -> bool:
    if before.code == DELETED:
        return False
    if after.version != before.version:
        return _begins_version(after, before.version + 1)
    if after.code == DELETED:
        return (after.stage, after.state) == (before.stage, before.state)
    return may_follow(here, there)


def _begins_version(event: Event, version: int) -> bool:
    return event.version == version and (event.stage, event.state) == (BEGINNING.stage, BEGINNING.state)


def _points(history: Iterable[Event]) -> Iterator[Point]:
    holder: str | None = None
    for event in history:
        actor = event.actor if event.state is State.WORKING else None
        yield Point(event.stage, event.state, actor is not None and actor != holder, bool(event.payload))
        holder = actor
