"""Drain the queue: what one worker needs, its limits, and its beginning and end."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.pipeline.attempts import Attempts
from ingest_assets.pipeline.drain_worker import Worker
from ingest_assets.pipeline.failure import passing_over
from ingest_assets.pipeline.lease import kept_lease
from ingest_assets.pipeline.outages import outlasting
from ingest_assets.pipeline.ports.claiming import Backlog, Claims
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.ports.providers import Availability
from ingest_assets.pipeline.tracing import tracing
from ingest_assets.pipeline.vector_index import IndexKeeper


@dataclass(frozen=True, slots=True)
class DrainLimits:
    in_flight: int = 4
    """How many documents compute at once; `Drain.places` says how many wait for providers besides."""
    ahead: int = 4
    """How many jobs to claim ahead. A small number lets the next user have a turn soon."""
    idle: timedelta = timedelta(seconds=10)
    """How long the worker waits for more work before it ends."""
    duration: timedelta = timedelta(minutes=15)
    """How long the worker keeps claiming before it makes room for a fresh one."""
    until_empty: bool = False
    """Whether the worker also waits for retries that are not due yet and for jobs that others hold."""
    lane: Lane | None = None
    """The only lane whose documents the worker takes, as far as the next one; by default, it takes all to the end."""
    report_every: timedelta = timedelta(seconds=10)
    """How long finished documents wait to be reported together, while there is work."""


@dataclass(slots=True)
class DrainTotals:
    done: int = 0
    failed: int = 0
    """Attempts that ended in an error; the queue says what became of each."""
    left: int = 0
    """Documents that workers of another lane take on."""
    released: int = 0


@dataclass(frozen=True)
class Drain:
    """Everything that a worker needs to drain the queue."""

    claims: Claims
    backlog: Backlog
    attempts: Attempts
    index: IndexKeeper
    providers: Availability
    places: Mapping[Lane, int]
    """How many documents of one worker may be at once in each lane: at a provider, or having their text recognised."""
    lease: timedelta
    """How long a worker may be silent before its documents return to the queue."""
    clock: Clock
    observer: Observer

    def run(self, claim: str, limits: DrainLimits, *, stop: threading.Event, report: Callable[[], None]) -> DrainTotals:
        """Work until idle, out of time or told to `stop`; then finish what has begun and release the rest.

        An exception, such as the interrupt of a terminated run, stops the worker in the same way and is then raised.

        Args:
            claim: The claim under which this worker holds documents.
            limits: How much to do at once, and for how long.
            stop: The event that tells the worker to stop.
            report: Called now and then, and at the end, when everything finished so far is committed.
        """
        passing_over(self.observer, "dropping the vector index", self.index.before_load)
        worker = Worker(self, claim, limits, stop, report, DrainTotals())
        try:
            with kept_lease(self.claims, claim, self.lease, self.observer):
                worker.work()
        finally:
            worker.totals.released = outlasting(lambda: self.claims.release(claim), self.clock)
            tracing.flush()
        passing_over(self.observer, "building the vector index", self.index.keep)
        return worker.totals
