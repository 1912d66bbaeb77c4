"""The loop of a worker: it claims jobs, keeps documents in progress, commits finished ones and outlasts outages."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING

from ingest_assets.domain.errors import IngestError, OutageError, ResourceError
from ingest_assets.domain.facts import ClaimingPaused
from ingest_assets.domain.queue.jobs import Actor, Job
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.pipeline.attempts import Attempt, FailedAttempt
from ingest_assets.pipeline.failure import passing_over
from ingest_assets.pipeline.outages import outlasting
from ingest_assets.pipeline.slots import Slot, Slots

if TYPE_CHECKING:
    from ingest_assets.pipeline.drain import Drain, DrainLimits, DrainTotals

POLL_SECONDS = 0.25
MOST_HEAVY_BYTES = 24 * 1024 * 1024
"""The total size of the heavy documents in flight; a larger one is the only heavy one."""
MOST_LIGHT_BYTES = 8 * 1024 * 1024
"""The total size of the light documents in flight."""
MOST_PARSED_ELSEWHERE_BYTES = 64 * 1024 * 1024
"""The total size of the documents in flight that a provider parses, heavy and light ones each; they cost little here.

The same goes for those whose text is recognised: their parser takes more memory than their bytes.
"""
COMMITTED_AT_ONCE = 16
OUTAGE_SECONDS = 2.0
"""How long a worker claims nothing after it has met an outage."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What decides whether one document may pass another that waits for room."""

    heavy: bool
    place: Lane | None
    """Where it first needs one of the worker's places."""

    @property
    def most_bytes(self) -> int:
        """How many bytes the documents of this kind that are in flight may have together."""
        if self.place in (Lane.PARSE, Lane.OCR):
            return MOST_PARSED_ELSEWHERE_BYTES
        return MOST_HEAVY_BYTES if self.heavy else MOST_LIGHT_BYTES


@dataclass(slots=True)
class Worker:
    """A worker at its work, which `work` does once."""

    drain: "Drain"
    claim: str
    limits: "DrainLimits"
    stop: threading.Event
    report: Callable[[], None]
    totals: "DrainTotals"
    claimed: deque[Job] = field(default_factory=deque)
    under_way: dict[Future[Exception | None], Attempt] = field(default_factory=dict)
    ready: list[Attempt] = field(default_factory=list)
    left: list[Attempt] = field(default_factory=list)
    """What the workers of another lane take on."""
    failed: list[FailedAttempt] = field(default_factory=list)
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
    may_hold_unknown: bool = False
    """Whether the queue may have given the worker jobs of which it does not know: the answer was lost."""
    paused_until: float = -inf
    """Until when the worker claims nothing, because something that all documents need is away."""

    def __post_init__(self) -> None:
        if self.limits.lane is Lane.OCR:  # each has a place, so nothing else limits how many there are
            places = self.drain.places[Lane.OCR]
            self.limits = replace(self.limits, in_flight=places, ahead=min(self.limits.ahead, places))
        self.slots = Slots(self.limits.in_flight, places=self.drain.places, freed=self.changed.set)

    def work(self) -> None:
        begun_at = self.busy_at = self.reported_at = self._now()
        with ThreadPoolExecutor(self._most, thread_name_prefix="document") as pool:
            try:
                while self._goes_on(begun_at) and not self._is_idle_after_a_round(pool):
                    self._await_documents()
            finally:
                self._finish()

    def _goes_on(self, begun_at: float) -> bool:
        return self._now() - begun_at < self.limits.duration.total_seconds() and not self.stop.is_set()

    def _is_idle_after_a_round(self, pool: ThreadPoolExecutor) -> bool:
        """Give the queue what has ended, take more from it, and return whether there is nothing left to do.

        If the queue cannot be reached, all of this waits for the next round.
        """
        try:
            self._begin(pool)  # first, so that documents compute during the commit
            self._commit()
            self._leave()
            self._settle()
            self._claim()
            self._begin(pool)
            self._report_now_and_then()
            return not self.under_way and self._is_idle()
        except ResourceError as error:
            if error.code == "schema_newer":  # this will not pass while the process lives
                raise
            self._pause(error)
            self.unreported = True  # what was committed, although the answer was lost
            return False

    def _pause(self, error: IngestError) -> None:
        if self._now() >= self.paused_until:
            self.drain.observer.observe(ClaimingPaused(error))
        self.paused_until = self._now() + OUTAGE_SECONDS

    def _claim(self) -> None:
        room = self._room()
        has_just_looked = self.queue_is_empty and self._now() - self.looked_at < POLL_SECONDS
        if room < max(1, self.limits.ahead / 2) or has_just_looked or self._now() < self.paused_until:
            return
        drain = self.drain
        self.looked_at = self._now()
        if self.looked_at - self.reclaimed_at > drain.lease.total_seconds() / 3:
            drain.attempts.failures.reclaim(Actor.of_claim(self.claim))
            self.reclaimed_at = self.looked_at
        if self.may_hold_unknown:
            drain.claims.release(self.claim, keep=[job.job_id for job in self._held()])
            self.may_hold_unknown = False
        # To claim more heavy documents while one waits would keep them from other workers.
        light_only = any(map(self._is_heavy, self.claimed))
        lane = self.limits.lane
        may_call = drain.providers.take_calls(lane)
        self.may_hold_unknown = True  # until the answer is there
        found = drain.claims.claim(self.claim, room, drain.lease, light_only=light_only, lane=lane) if may_call else []
        self.may_hold_unknown = False
        self.queue_is_empty = len(found) < room
        self.claimed += found

    def _held(self) -> list[Job]:
        """Return every job that the worker knows to hold."""
        attempts = [*self.under_way.values(), *self.ready, *self.left, *(each.attempt for each in self.failed)]
        return [*self.claimed, *(attempt.job for attempt in attempts)]

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        begun = self._take_slots()
        try:
            if begun:
                self.drain.claims.begin([job for job, _ in begun])
        except BaseException:
            self.claimed.extendleft(job for job, _ in reversed(begun))
            for _, slot in begun:  # documents that come back from waiting need these slots to end
                slot.give_back()
            raise
        for job, slot in begun:
            attempt = self.drain.attempts.begin(job, self.limits.lane)
            future = pool.submit(self._process, attempt, slot)
            self.under_way[future] = attempt
            future.add_done_callback(lambda _: self.changed.set())

    def _take_slots(self) -> list[tuple[Job, Slot]]:
        """Take out the claimed jobs that may begin now. Those of a kind keep their order, and let other kinds pass."""
        begun: list[tuple[Job, Slot]] = []
        waiting: list[Job] = []
        again = {attempt.job.job_id for attempt in self.under_way.values()}
        for job in self.claimed:
            if job.job_id in again:  # a lapsed lease gave it back while an earlier attempt is at work on it
                waiting.append(job)
                continue
            kind = self._kind_of(job)
            is_next = kind not in {self._kind_of(other) for other in waiting if other.job_id not in again}
            fits = is_next and self._fits(job, [other for other, _ in begun])
            slot = self.slots.try_take(heavy=kind.heavy, lane=kind.place) if fits else None
            if slot is None:
                waiting.append(job)
            else:
                begun.append((job, slot))
        self.claimed = deque(waiting)
        return begun

    def _process(self, attempt: Attempt, slot: Slot) -> Exception | None:
        try:
            return self.drain.attempts.process(attempt, slot)
        finally:
            slot.give_back()

    def _fits(self, job: Job, begun: list[Job]) -> bool:
        others = [attempt.job for attempt in self.under_way.values()] + begun
        kind = self._kind_of(job)
        alike = [other.document.byte_size for other in others if self._kind_of(other) == kind]
        has_room = not alike or sum(alike) + job.document.byte_size <= kind.most_bytes
        return has_room and len(others) < self._most

    def _kind_of(self, job: Job) -> "Kind":
        return Kind(self._is_heavy(job), self.drain.attempts.place_of(job, self.limits.lane))

    def _is_heavy(self, job: Job) -> bool:
        """Return whether the document leaves room to light ones; where text is recognised, there are none."""
        return job.is_heavy and self.limits.lane is not Lane.OCR

    def _room(self) -> int:
        """Return how many more jobs the worker may hold.

        Those that wait for providers do not count, nor do heavy ones that wait for a slot: light ones pass them.
        """
        computing = len(self.under_way) - self.slots.waiting
        claimed = sum(not self._is_heavy(job) for job in self.claimed)
        wanted = self.limits.in_flight + self.limits.ahead - computing - len(self.ready) - len(self.left) - claimed
        return min(wanted, self._most + self.limits.ahead - len(self.under_way) - claimed)

    @property
    def _most(self) -> int:
        return self.limits.in_flight + sum(self.drain.places.values())

    def _await_documents(self) -> None:
        if not self.under_way:
            self.stop.wait(POLL_SECONDS)
            return
        self._await_change()
        self.busy_at = self._now()
        self.queue_is_empty = self.queue_is_empty and bool(self.under_way)  # failed documents may be due again

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
            error = future.result()
            if error is not None:
                self._fail(FailedAttempt(attempt, error))
            elif attempt.is_for_others:
                self.left.append(attempt)
            else:
                self.ready.append(attempt)

    def _fail(self, failed: FailedAttempt) -> None:
        self.totals.failed += 1
        self.failed.append(failed)
        if isinstance(failed.error, OutageError):
            self._pause(failed.error)

    def _leave(self) -> None:
        while self.left:
            self.drain.claims.leave(self.left[0].job)
            self.left.pop(0)
            self.totals.left += 1

    def _settle(self) -> None:
        while self.failed:
            self.drain.attempts.settle(self.failed[0])
            self.failed.pop(0)

    def _commit(self) -> None:
        while self.ready:
            some = self.ready[:COMMITTED_AT_ONCE]
            failed = self.drain.attempts.commit(some)
            del self.ready[: len(some)]
            done = len(some) - len(failed)
            self.totals.done += done
            self.unreported = self.unreported or done > 0
            for each in failed:
                self._fail(each)

    def _finish(self) -> None:
        while self.under_way:
            self._await_change()
        for act in (self._commit, self._leave, self._settle, self._report):
            outlasting(act, self.drain.clock)

    def _is_idle(self) -> bool:
        if self._now() < self.paused_until:  # it has not looked whether there is more
            self.busy_at = self._now()
            return False
        if self.limits.until_empty:
            return not self.drain.backlog.unfinished()
        return self._now() - self.busy_at >= self.limits.idle.total_seconds()

    def _report_now_and_then(self) -> None:
        """Report what is finished: at once if nothing else is to do, or else only now and then."""
        if not self.under_way or self._now() - self.reported_at > self.limits.report_every.total_seconds():
            passing_over(self.drain.observer, "reporting finished documents", self._report)

    def _report(self) -> None:
        self.reported_at = self._now()
        if self.unreported:
            self.report()
        self.unreported = False

    def _now(self) -> float:
        return self.drain.clock.seconds()
