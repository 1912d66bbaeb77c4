"""How steps' changes reach the database: at once, or together with those that follow."""

from dataclasses import dataclass
from threading import Lock

from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Payload
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.processing import Changes

PATIENCE_SECONDS = 0.5
"""A document whose steps take longer is seen at its stage, and keeps what took so long."""
HEAVIEST = 500
"""Chunks and vectors that wait in memory for one document."""


@dataclass(frozen=True)
class ImmediateProgress:
    """For partition runs, whose steps are steps of Dagster's: it knows by itself how they end."""

    changes: Changes

    def write(self, change: Change) -> Payload:
        [payload] = self.changes.write_all([change], reported=True)
        return payload


class DeferredProgress:
    """For one document of a drain run: keeps changes back while they are young, free and light.

    What was paid for, or took long, is written at once, with all that came before it. The change that commits a
    version stays here until whoever drains commits it together with others. Any thread may call it.
    """

    def __init__(self, changes: Changes, clock: Clock) -> None:
        self._changes = changes
        self._clock = clock
        self._begun_at = clock.seconds()
        self._lock = Lock()
        self._pending: Change | None = None

    @property
    def pending(self) -> Change | None:
        """What has not been written yet."""
        return self._pending

    def write(self, change: Change) -> Payload:
        with self._lock:
            self._pending = change if self._pending is None else self._pending.followed_by(change)
            if change.version is None and (change.is_paid or self._is_overdue() or self._pending.weight > HEAVIEST):
                return self._write()
        return change.moves[-1].payload if change.moves else {}

    def catch_up(self) -> None:
        """Write what has been kept back for too long. Raises what `Changes.write_all` does."""
        with self._lock:
            if self._pending is not None and self._pending.version is None and self._is_overdue():
                self._write()

    def give_up(self) -> None:
        """Write how far the document has come, without committing it. Raises what `Changes.write_all` does."""
        with self._lock:
            self._pending = None if self._pending is None else self._pending.uncommitted()
            if self._pending is not None:
                self._write()

    def _is_overdue(self) -> bool:
        return self._clock.seconds() - self._begun_at > PATIENCE_SECONDS

    def _write(self) -> Payload:
        if self._pending is None:
            return {}
        [payload] = self._changes.write_all([self._pending], reported=False)
        self._pending = None
        return payload
