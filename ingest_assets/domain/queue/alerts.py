"""Which failures somebody should hear of."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest_assets.domain.errors.remedies import advice_for, command_for_cause
from ingest_assets.domain.queue.jobs import FailedCause

PATIENCE = timedelta(minutes=5)
"""How long documents may wait for their retries before that is worth an alert. A dead letter is worth one at once."""

WANTED = frozenset({"cancelled"})
"""Nobody needs to be told of what somebody has asked for."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What an alert says about one cause: no names, no text, and no ids."""

    code: str
    count: int
    waiting: int
    """How many of the documents wait for a retry; the others are dead letters."""
    message: str
    hint: str
    fix: str
    """The command line that brings all of them back."""
    first_at: datetime
    """When the first of them failed."""


def alerts_for(causes: Iterable[FailedCause], now: datetime) -> list[Alert]:
    """Return an alert for each cause that is worth one."""
    return [
        _alert(cause)
        for cause in causes
        if (cause.dead_letters or now - cause.since >= PATIENCE) and cause.code not in WANTED
    ]


def _alert(cause: FailedCause) -> Alert:
    advice = [advice_for(cause.code)] if cause.dead_letters else []
    return Alert(
        code=cause.code,
        count=cause.count,
        waiting=cause.waiting,
        message=cause.message,
        hint=" ".join([cause.hint, *advice]),
        fix=command_for_cause(cause.code, all_wait=not cause.dead_letters),
        first_at=cause.since,
    )
