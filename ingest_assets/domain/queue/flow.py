"""Whether documents flow through the queue, and what keeps them from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ingest_assets.domain.queue.pauses import Pause, Paused

WINDOW = timedelta(minutes=5)
"""Over how long the rate is counted."""
UNATTENDED_AFTER = timedelta(minutes=1)
"""How long nobody may look at waiting documents. The sensor looks every few seconds."""


TELLING = 10
"""How many documents must have been done within WINDOW before their pace tells anything."""


@dataclass(frozen=True, slots=True)
class Flow:
    """The queue at one moment."""

    at: datetime
    waiting: int
    """Jobs that could be claimed now."""
    waiting_since: datetime | None
    """When the first of them was queued."""
    retrying: int
    """Jobs whose retries are not due yet."""
    next_retry_at: datetime | None
    working: int
    """Jobs under a live lease."""
    workers: int
    """Claims with live leases."""
    abandoned: int
    """Jobs whose leases have expired; they return to the queue as soon as somebody looks at it."""
    finished: int
    """Jobs that were done within WINDOW."""
    finished_at: datetime | None
    """When the last one was done."""
    looked_at: datetime | None
    """When a sensor last looked at the queue."""

    @property
    def per_minute(self) -> float:
        return self.finished / (WINDOW.total_seconds() / 60)

    @property
    def remaining(self) -> timedelta | None:
        """Return how long the waiting jobs take at the present rate, or None if that cannot be told."""
        unfinished = self.waiting + self.working + self.abandoned
        return timedelta(minutes=unfinished / self.per_minute) if unfinished and self.finished >= TELLING else None

    @property
    def is_looked_after(self) -> bool:
        """Whether somebody works, or a sensor has looked lately."""
        return self.workers > 0 or (self.looked_at is not None and self.at - self.looked_at < UNATTENDED_AFTER)


class Verdict(StrEnum):
    """What is to be said of a queue."""

    IDLE = "idle"
    FLOWING = "flowing"
    RETRYING = "retrying"
    """Only documents that wait for their retries are left."""
    PAUSED = "paused"
    UNATTENDED = "unattended"
    """Documents wait, and nobody looks at them."""


def verdict_on(flow: Flow, pauses: Sequence[Pause]) -> Verdict:
    """Return what is to be said of the queue. A pause of everything explains whatever else does not move."""
    if Paused() in [pause.paused for pause in pauses]:
        return Verdict.PAUSED
    if flow.waiting or flow.abandoned:
        return Verdict.FLOWING if flow.is_looked_after else Verdict.UNATTENDED
    if flow.working:
        return Verdict.FLOWING
    return Verdict.RETRYING if flow.retrying else Verdict.IDLE
