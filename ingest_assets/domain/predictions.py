"""What comes, judged by what was: how long work takes, and what a month costs.

Each prediction is made of this deployment's own history and carries the error that the same kind of prediction would
have had in the past: each of the last ones is predicted from what came before it. Where there is too little history,
there is no prediction.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median

import numpy as np

FEWEST_DOCUMENTS = 20
"""With fewer finished documents, nothing is predicted."""
FEWEST_OF_A_TYPE = 8
"""With fewer of its own type, a document is predicted as any other one."""
TESTED_DOCUMENTS = 100
"""How many of the last documents are predicted to learn the error."""
BATCH = 20
"""How many documents a test of a backlog has."""
FEWEST_DAYS = 7
"""With fewer whole days since the first cost, no month is predicted."""
REMEMBERED_DAYS = 28
"""How many days a day's cost is the mean of: whole weeks, because weekends differ."""
WEEK = 7


@dataclass(frozen=True, slots=True)
class PastWork:
    """The attempt that made a document searchable."""

    media_type: str
    byte_size: int
    began_at: datetime
    ended_at: datetime

    @property
    def seconds(self) -> float:
        return (self.ended_at - self.began_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Work:
    """Documents of one type that are to be worked on."""

    media_type: str
    documents: int
    byte_size: int
    """Of all of them."""


@dataclass(frozen=True, slots=True)
class TooLittle:
    """There is too little history for a prediction."""

    found: int
    needed: int


@dataclass(frozen=True, slots=True)
class WorkPrediction:
    seconds: float
    """How long the work takes, as many documents at once as usual."""
    learnt_from: int
    """Documents."""
    document_error: float | None
    """The median error of the predictions of single documents, as a share of what they took; None if not yet known."""
    batch_error: float | None
    """The same for batches of documents, by the time from the first one's beginning to the last one's end."""


@dataclass(frozen=True, slots=True)
class MonthPrediction:
    micro_usd: int
    """What the whole month will have cost."""
    spent_micro_usd: int
    """What it has cost so far."""
    learnt_from: int
    """Days."""
    week_error: float | None
    """The median error of predictions of a week, as a share of what it cost; None if not yet known."""


@dataclass(frozen=True, slots=True)
class Line:
    """Seconds by documents and bytes."""

    per_document: float
    per_byte: float

    def seconds(self, documents: int, byte_size: int) -> float:
        return self.per_document * documents + self.per_byte * byte_size


class Durations:
    """How long documents take, by type and size: one least-squares line for each type that is common enough."""

    def __init__(self, past: Sequence[PastWork]) -> None:
        """Learn from the past, which must not be empty."""
        by_type: dict[str, list[PastWork]] = defaultdict(list)
        for each in past:
            by_type[each.media_type].append(each)
        self._any = fitted(past)
        self._lines = {kind: fitted(each) for kind, each in by_type.items() if len(each) >= FEWEST_OF_A_TYPE}

    def seconds(self, work: Work) -> float:
        """Return how long workers are busy with this, all documents one after the other."""
        return self._lines.get(work.media_type, self._any).seconds(work.documents, work.byte_size)


def fitted(past: Sequence[PastWork]) -> Line:
    """Return the line with the least squared error among those that neither fall nor begin below zero."""
    sizes = np.array([each.byte_size for each in past], dtype=np.float64)
    seconds = np.array([each.seconds for each in past], dtype=np.float64)
    middle, mean = float(sizes.mean()), float(seconds.mean())
    spread = sizes - middle
    squares = float(spread @ spread)
    rate = float(spread @ (seconds - mean)) / squares if squares > 0 else 0.0
    if rate <= 0:
        return Line(mean, 0.0)
    if mean - rate * middle < 0:
        return Line(0.0, float(sizes @ seconds) / float(sizes @ sizes))
    return Line(mean - rate * middle, rate)


def busy_seconds(past: Iterable[PastWork], since: datetime | None = None) -> float:
    """Return for how long anything of this was worked on since a time."""
    busy, until = timedelta(), since
    for each in sorted(past, key=lambda each: each.began_at):
        began_at = each.began_at if until is None else max(each.began_at, until)
        if each.ended_at > began_at:
            busy += each.ended_at - began_at
            until = each.ended_at
    return busy.total_seconds()


def at_once(past: Sequence[PastWork]) -> float:
    """Return how many documents were worked on at once while any was: one at least."""
    busy = busy_seconds(past)
    return max(1.0, sum(each.seconds for each in past) / busy) if busy > 0 else 1.0


def predict_work(past: Sequence[PastWork], work: Sequence[Work]) -> WorkPrediction | TooLittle:
    """Return how long this work takes.

    Args:
        past: What was done before, by the time when it ended.
        work: What is to be done.
    """
    if len(past) < FEWEST_DOCUMENTS:
        return TooLittle(len(past), FEWEST_DOCUMENTS)
    return WorkPrediction(_elapsed(past, work), len(past), document_error(past), batch_error(past))


def document_error(past: Sequence[PastWork]) -> float | None:
    """Return the median error of predicting each of the last documents from those that ended before it."""
    first = max(FEWEST_DOCUMENTS, len(past) - TESTED_DOCUMENTS)
    return _median(
        _error(Durations(past[:place]).seconds(_work([past[place]])[0]), past[place].seconds)
        for place in range(first, len(past))
    )


def batch_error(past: Sequence[PastWork]) -> float | None:
    """Return the median error of predicting how long each of the last batches takes from what ended before it."""
    first = max(FEWEST_DOCUMENTS, len(past) - TESTED_DOCUMENTS)
    return _median(
        _batch_error(past[:place], past[place : place + BATCH]) for place in range(first, len(past) - BATCH + 1, BATCH)
    )


def _batch_error(before: Sequence[PastWork], batch: Sequence[PastWork]) -> float | None:
    return _error(_elapsed(before, _work(batch)), busy_seconds(batch, since=before[-1].ended_at))


def _elapsed(past: Sequence[PastWork], work: Sequence[Work]) -> float:
    """Return how long this work takes, judged by the past, with as many documents at once as usual or as there are."""
    durations = Durations(past)
    together = min(at_once(past), max(1, sum(each.documents for each in work)))
    return sum(map(durations.seconds, work)) / together


def _work(past: Iterable[PastWork]) -> list[Work]:
    return [Work(each.media_type, 1, each.byte_size) for each in past]


def predict_month(micro_usd_by_day: Mapping[date, int], today: date) -> MonthPrediction | TooLittle:
    """Return what the month of a day will have cost: what it has cost, and the usual cost of a day for each one left.

    Args:
        micro_usd_by_day: What each day has cost; days without costs may be missing.
        today: The day that is not over.
    """
    days = _whole_days(micro_usd_by_day, today)
    if len(days) < FEWEST_DAYS:
        return TooLittle(len(days), FEWEST_DAYS)
    usual = _mean(days[-REMEMBERED_DAYS:])
    spent = sum(cost for day, cost in micro_usd_by_day.items() if _month(day) == _month(today) and day <= today)
    left = monthrange(today.year, today.month)[1] - today.day
    rest_of_today = max(0.0, usual - micro_usd_by_day.get(today, 0))
    total = round(spent + rest_of_today + usual * left)
    return MonthPrediction(total, spent, len(days[-REMEMBERED_DAYS:]), _week_error(days))


def _week_error(days: Sequence[int]) -> float | None:
    """Return the median error of predicting the seven days from each of the last days on from those before it."""
    first = max(FEWEST_DAYS, len(days) - REMEMBERED_DAYS)
    return _median(
        _error(WEEK * _mean(days[max(0, place - REMEMBERED_DAYS) : place]), float(sum(days[place : place + WEEK])))
        for place in range(first, len(days) - WEEK + 1)
    )


def _whole_days(micro_usd_by_day: Mapping[date, int], today: date) -> list[int]:
    """Return what each day since the first one with costs has cost, without today."""
    first = min((day for day, cost in micro_usd_by_day.items() if cost > 0), default=today)
    return [micro_usd_by_day.get(first + timedelta(days=n), 0) for n in range((today - first).days)]


def _month(day: date) -> tuple[int, int]:
    return day.year, day.month


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)


def _error(predicted: float, actual: float) -> float | None:
    return abs(predicted - actual) / actual if actual > 0 else None


def _median(errors: Iterable[float | None]) -> float | None:
    known = [each for each in errors if each is not None]
    return median(known) if known else None
