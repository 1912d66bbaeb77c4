"""What a day and a week have brought, for people who do not look every hour: numbers, causes and what to change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum

from ingest_assets.domain import metrics
from ingest_assets.domain.alerting.notices import Notice
from ingest_assets.domain.alerting.readings import Reading
from ingest_assets.domain.errors.remedies import command_for_cause
from ingest_assets.domain.queue.flow import Flow
from ingest_assets.domain.queue.jobs import FailedCause

MOST_CAUSES = 5
HALF = 0.5


class Period(IntEnum):
    """How many days a summary is about."""

    DAY = 1
    WEEK = 7

    @property
    def length(self) -> timedelta:
        return timedelta(days=self.value)

    @property
    def noun(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Usage:
    """What happened between two readings."""

    queued: int
    finished: int
    dead_letters: int
    usd: float
    tokens: int
    pages: int

    @classmethod
    def between(cls, before: Reading, after: Reading) -> "Usage":
        return cls(
            queued=round(after.total_rise(before, metrics.QUEUED_TOTAL)),
            finished=round(after.total_rise(before, metrics.FINISHED_TOTAL)),
            dead_letters=round(after.total_rise(before, metrics.DEAD_LETTERS_TOTAL)),
            usd=after.total_rise(before, metrics.COST_TOTAL),
            tokens=round(after.total_rise(before, metrics.TOKENS_TOTAL)),
            pages=round(after.total_rise(before, metrics.PAGES_TOTAL)),
        )


@dataclass(frozen=True, slots=True)
class Peaks:
    """The most that any reading of a period held."""

    workers: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings allow."""

    workers: int
    usd_per_day: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    period: Period
    usage: Usage
    before: Usage | None
    """Of the period before, if there are readings of it."""
    flow: Flow
    causes: Sequence[FailedCause]
    peaks: Peaks
    limits: Limits

    @property
    def advice(self) -> str:
        """Return what the period recommends about capacity."""
        most, peak = self.limits.workers, self.peaks.workers
        if peak >= most and self.peaks.waiting > self.usage.finished / self.period.length.total_seconds() * 3600:
            return (
                f"All {most} workers were busy, and up to {self.peaks.waiting} documents waited, more than an hour's "
                "work. Raise INGEST_DRAIN_WORKERS if there are cores left, or add a host."
            )
        if peak < most * HALF:
            return f"At most {peak} of {most} workers were busy. The capacity is more than enough."
        return f"At most {peak} of {most} workers were busy. The capacity is enough."

    @property
    def notice(self) -> Notice:
        causes = sorted(self.causes, key=lambda cause: -cause.count)[:MOST_CAUSES]
        commands = {cause.code: command_for_cause(cause.code, all_wait=not cause.dead_letters) for cause in causes}
        told = [f"{cause.count} documents failed with {cause.code}: {cause.message}" for cause in causes]
        if self.period is Period.WEEK:
            told.append(self.advice)
        return Notice(
            headline=f"The last {self.period.noun}: {self.usage.finished} documents became searchable.",
            severity=None,
            paragraphs=tuple(told),
            facts=tuple(self._facts()),
            commands=tuple(commands.values()),
            data=self._data(commands),
        )

    def _facts(self) -> list[tuple[str, str]]:
        usage = _numbers(self.usage)
        before = {} if self.before is None else _numbers(self.before)
        budget = self.limits.usd_per_day
        limit = "" if budget is None else f" of {budget * self.period:.2f} USD"
        return [
            ("Queued", _trend(usage["queued"], before.get("queued"))),
            ("Searchable", _trend(usage["finished"], before.get("finished"))),
            ("Dead letters", _trend(usage["dead_letters"], before.get("dead_letters"))),
            ("Waiting now", str(self.flow.waiting)),
            ("Oldest waiting", _age(self.flow)),
            ("Cost", _trend(usage["usd"], before.get("usd"), ".2f") + f" USD{limit}"),
            ("Tokens", _trend(usage["tokens"], before.get("tokens"))),
            ("Pages", _trend(usage["pages"], before.get("pages"))),
        ]

    def _data(self, commands: Mapping[str, str]) -> dict[str, object]:
        waits_since = self.flow.waiting_since
        return {
            "summary": self.period.noun,
            "usage": _numbers(self.usage),
            "before": None if self.before is None else _numbers(self.before),
            "waiting": self.flow.waiting,
            "waiting_since": None if waits_since is None else waits_since.isoformat(),
            "budget_usd_per_day": self.limits.usd_per_day,
            "causes": [
                {"code": cause.code, "count": cause.count, "message": cause.message, "fix": commands[cause.code]}
                for cause in self.causes
                if cause.code in commands
            ],
            "peak_workers": self.peaks.workers,
            "peak_waiting": self.peaks.waiting,
            "advice": self.advice if self.period is Period.WEEK else None,
        }


def _numbers(usage: Usage) -> dict[str, float]:
    return {name: getattr(usage, name) for name in Usage.__slots__}


def _trend(now: float, before: float | None, form: str = ".0f") -> str:
    """Return a number with what it was before and by how much it has changed."""
    told = format(now, form)
    if before is None:
        return told
    change = f", {100 * (now - before) / before:+.0f} %" if before else ""
    return f"{told} (before: {format(before, form)}{change})"


def _age(flow: Flow) -> str:
    if flow.waiting_since is None:
        return "none"
    return f"{(flow.at - flow.waiting_since).total_seconds() / 60:.0f} min"
