"""How the changes of steps reach the database: at once, or together with later ones."""

from dataclasses import dataclass
from threading import Lock

from ingest_assets.domain.errors import OutageError
from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Payload
from ingest_assets.pipeline.outages import outlasting
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.processing import Changes

PATIENCE_SECONDS = 0.5
"""After this time, a document's stage becomes visible and its results so far are stored."""
REST_SECONDS = 10.0
"""How long a document rests after its changes could not be shown, so that an outage is not asked about all the time."""
HEAVIEST = 500
"""How many chunks and vectors may wait in memory for one document."""


@dataclass(frozen=True)
class ImmediateProgress:
    """Writes each change at once, for partition runs, whose steps Dagster reports by itself."""

    changes: Changes
    clock: Clock

    def write(self, change: Change) -> Payload:
        return _write(self.changes, change, self.clock, reported=True)


class DeferredProgress:
    """Keeps the changes of one document of a drain run back while they are young, free and light.

    A change that cost money or took long is written at once, with all earlier ones. The change that commits a version
    stays here until the worker commits it together with others. Any thread may use this.
    """

    def __init__(self, changes: Changes, clock: Clock) -> None:
        self._changes = changes
        self._clock = clock
        self._due_at = clock.seconds() + PATIENCE_SECONDS
        self._lock = Lock()
        self._pending: Change | None = None
        self._outage: OutageError | None = None

    @property
    def pending(self) -> Change | None:
        """The change that has not been written yet."""
        return self._pending

    def write(self, change: Change) -> Payload:
        with self._lock:
            if self._outage is not None:
                raise self._outage
            self._pending = change if self._pending is None else self._pending.followed_by(change)
            if change.version is None and (change.is_paid or self._is_overdue() or self._pending.weight > HEAVIEST):
                return self._write()
        return change.moves[-1].payload if change.moves else {}

    def catch_up(self) -> None:
        """Write changes that have been kept back for too long.

        Raises:
            IngestError: As `Changes.write_all`.
        """
        if not self._lock.acquire(blocking=False):  # it is being written
            return
        try:
            if self._pending is not None and self._pending.version is None and self._is_overdue():
                self._write()
        except Exception:
            self._due_at = self._clock.seconds() + REST_SECONDS
            raise
        finally:
            self._lock.release()

    def give_up(self) -> None:
        """Write how far the document got, without committing it.

        Raises:
            IngestError: As `Changes.write_all`.
        """
        with self._lock:
            self._pending = None if self._pending is None else self._pending.uncommitted()
            if self._pending is not None:
                self._write()

    def _is_overdue(self) -> bool:
        return self._clock.seconds() > self._due_at

    def _write(self) -> Payload:
        """Write what is pending; what may or may not have been written is never written again: it would show twice."""
        if self._pending is None:
            return {}
        try:
            payload = _write(self._changes, self._pending, self._clock, reported=False)
        except OutageError as outage:
            self._pending, self._outage = None, outage
            raise
        self._pending = None
        return payload


def _write(changes: Changes, change: Change, clock: Clock, *, reported: bool) -> Payload:
    """Write a change; paid vectors alone outlast an outage, because writing them twice does no harm."""

    def write() -> Payload:
        [payload] = changes.write_all([change], reported=reported)
        return payload

    return outlasting(write, clock) if change.is_paid and not change.moves else write()
