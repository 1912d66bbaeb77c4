"""One worker drains the queue: it claims jobs, keeps documents in progress and commits finished ones together."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf

from ingest_assets.domain.queue.jobs import Actor, Job
from ingest_assets.pipeline.attempts import Attempt, Attempts
from ingest_assets.pipeline.failure import passing_over
from ingest_assets.pipeline.lease import kept_lease
from ingest_assets.pipeline.ports.claiming import Backlog, Claims
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.ports.providers import Availability
from ingest_assets.pipeline.slots import Slots
from ingest_assets.pipeline.vector_index import IndexKeeper

POLL_SECONDS = 0.25
MOST_IN_FLIGHT = 48
"""How many documents may compute or wait, unless more than that may compute."""
MOST_BYTES = 32 * 1024 * 1024
"""The total size of the documents in flight; a larger document is in flight alone."""
COMMITTED_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class DrainLimits:
    in_flight: int = 4
    """How many documents compute at once; documents that wait for providers come on top."""
    ahead: int = 4
    """How many jobs to claim ahead. A small number lets the next user have a turn soon."""
    idle: timedelta = timedelta(seconds=10)
    """How long the worker waits for more work before it ends."""
    duration: timedelta = timedelta(minutes=15)
    """How long the worker keeps claiming before it makes room for a fresh one."""
    until_empty: bool = False
    """Whether the worker also waits for retries that are not due yet and for jobs that others hold."""
    report_every: timedelta = timedelta(seconds=10)
    """How long finished documents wait to be reported together, while there is work."""


@dataclass(slots=True)
class DrainTotals:
    done: int = 0
    failed: int = 0
    """Attempts that ended in an error; the queue says what became of each."""
    released: int = 0


@dataclass(frozen=True)
class Drain:
    """Everything that a worker needs to drain the queue."""

    claims: Claims
    backlog: Backlog
    attempts: Attempts
    index: IndexKeeper
    providers: Availability
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
        worker = _Worker(self, claim, limits, stop, report)
        try:
            with kept_lease(self.claims, claim, self.lease, self.observer):
                worker.work()
        finally:
            worker.totals.released = self.claims.release(claim)
        passing_over(self.observer, "building the vector index", self.index.keep)
        return worker.totals


@dataclass(slots=True)
class _Worker:
    drain: Drain
    claim: str
    limits: DrainLimits
    stop: threading.Event
    report: Callable[[], None]
    totals: DrainTotals = field(default_factory=DrainTotals)
    claimed: deque[Job] = field(default_factory=deque)
    under_way: dict[Future[bool], Attempt] = field(default_factory=dict)
    ready: list[Attempt] = field(default_factory=list)
    changed: threading.Event = field(default_factory=threading.Event)
    """Set when a document has ended or another one may begin."""
    slots: Slots = field(init=False)
    queue_is_empty: bool = False
    looked_at: float = -inf
    reclaimed_at: float = -inf
    busy_at: float = -inf
    reported_at: float = -inf
    unreported: bool = True
    """True at first, because an earlier worker may have crashed before it reported."""
    unsettled: BaseException | None = None
    """Why a document's failure could not be recorded; then the worker ends, and so gives that document back."""

    def __post_init__(self) -> None:
        self.slots = Slots(self.limits.in_flight, freed=self.changed.set)

    def work(self) -> None:
        begun_at = self.busy_at = self.reported_at = self._now()
        with ThreadPoolExecutor(self._most, thread_name_prefix="document") as pool:
            try:
                while self._goes_on(begun_at):
                    self._begin(pool)  # first, so that documents compute during the commit
                    self._commit()
                    self._claim()
                    self._begin(pool)
                    if not self.under_way and self._is_idle():
                        break
                    self._await_documents()
            finally:
                self._finish()
        if self.unsettled is not None:
            raise self.unsettled

    def _goes_on(self, begun_at: float) -> bool:
        is_on_time = self._now() - begun_at < self.limits.duration.total_seconds()
        return is_on_time and not self.stop.is_set() and self.unsettled is None

    def _claim(self) -> None:
        room = self._room()
        has_just_looked = self.queue_is_empty and self._now() - self.looked_at < POLL_SECONDS
        if room < max(1, self.limits.ahead / 2) or has_just_looked:
            return
        drain = self.drain
        self.looked_at = self._now()
        if self.looked_at - self.reclaimed_at > drain.lease.total_seconds() / 3:
            drain.attempts.failures.reclaim(Actor.of_claim(self.claim))
            self.reclaimed_at = self.looked_at
        found = drain.claims.claim(self.claim, room, drain.lease) if drain.providers.take_calls() else []
        self.queue_is_empty = len(found) < room
        self.claimed += found

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        begun: list[Job] = []
        while self.claimed and self.slots.free and self._fits(self.claimed[0], begun):
            self.slots.take()
            begun.append(self.claimed.popleft())
        try:
            if begun:
                self.drain.claims.begin(begun)
        except BaseException:
            for _ in begun:  # documents that come back from waiting need these slots to end
                self.slots.give_back()
            raise
        for job in begun:
            attempt = self.drain.attempts.begin(job)
            future = pool.submit(self._process, attempt)
            self.under_way[future] = attempt
            future.add_done_callback(lambda _: self.changed.set())

    def _process(self, attempt: Attempt) -> bool:
        try:
            return self.drain.attempts.process(attempt, self.slots)
        finally:
            self.slots.give_back()

    def _fits(self, job: Job, begun: list[Job]) -> bool:
        others = [attempt.job for attempt in self.under_way.values()] + begun
        size = sum(each.document.byte_size for each in others) + job.document.byte_size
        return not others or (len(others) < self._most and size <= MOST_BYTES)

    def _room(self) -> int:
        """Return how many more jobs the worker may hold; jobs that wait for providers do not count."""
        computing = len(self.under_way) - self.slots.waiting
        wanted = self.limits.in_flight + self.limits.ahead - computing - len(self.ready) - len(self.claimed)
        return min(wanted, self._most + self.limits.ahead - len(self.under_way) - len(self.claimed))

    @property
    def _most(self) -> int:
        return max(MOST_IN_FLIGHT, self.limits.in_flight)

    def _await_documents(self) -> None:
        if not self.under_way:
            self._report()
            self.stop.wait(POLL_SECONDS)
            return
        self._await_change()
        self.busy_at = self._now()
        self.queue_is_empty = self.queue_is_empty and bool(self.under_way)  # failed documents may be due again
        if self.busy_at - self.reported_at > self.limits.report_every.total_seconds():
            self._report()

    def _await_change(self) -> None:
        """Wait a moment for documents to end, and record where slow ones stand."""
        self.changed.wait(POLL_SECONDS)
        self.changed.clear()
        self._collect()
        self.drain.attempts.catch_up(list(self.under_way.values()))

    def _collect(self) -> None:
        """Take out the documents that have ended: those that are ready to be committed, and failures."""
        for future in [future for future in self.under_way if future.done()]:
            attempt = self.under_way.pop(future)
            self.unsettled = future.exception() or self.unsettled
            if future.exception() is None and future.result():
                self.ready.append(attempt)
            else:
                self.totals.failed += 1

    def _commit(self) -> None:
        while self.ready:
            some, self.ready = self.ready[:COMMITTED_AT_ONCE], self.ready[COMMITTED_AT_ONCE:]
            done = self.drain.attempts.commit(some)
            self.totals.done += done
            self.totals.failed += len(some) - done
            self.unreported = self.unreported or done > 0

    def _finish(self) -> None:
        while self.under_way:
            self._await_change()
        self._commit()
        self._report()

    def _is_idle(self) -> bool:
        if self.limits.until_empty:
            return not self.drain.backlog.unfinished()
        return self._now() - self.busy_at >= self.limits.idle.total_seconds()

    def _report(self) -> None:
        if self.unreported:
            self.report()
        self.unreported, self.reported_at = False, self._now()

    def _now(self) -> float:
        return self.drain.clock.seconds()
