"""One worker works the queue off: several documents at once through the four steps, each failure its own."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from math import inf

from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.queue.jobs import Actor, Job
from ingest_assets.pipeline.chunk import chunk_parse, store_chunks
from ingest_assets.pipeline.commit import commit_version, complete_version
from ingest_assets.pipeline.embed import StoredVectors, embed_chunks, pass_embedding_on
from ingest_assets.pipeline.failure import as_ingest_error, settle_failure
from ingest_assets.pipeline.lease import kept_lease
from ingest_assets.pipeline.parse import parse_document, store_parse
from ingest_assets.pipeline.services import Services
from ingest_assets.pipeline.vector_index import before_load, keep_index


@dataclass(frozen=True, slots=True)
class DrainLimits:
    in_flight: int = 4
    """Documents worked on at once."""
    ahead: int = 4
    """Jobs claimed before there is room for them: few, so that whoever comes next has its turn soon."""
    idle: timedelta = timedelta(seconds=10)
    """How long it waits for more work before it ends."""
    duration: timedelta = timedelta(minutes=15)
    """How long it claims before it makes room for a fresh worker."""
    until_empty: bool = False
    """Whether it also waits for retries that are not due yet and for what others hold."""
    report_every: timedelta = timedelta(seconds=10)
    """How long finished documents wait until they are reported together, while there is work."""


@dataclass(slots=True)
class DrainTotals:
    done: int = 0
    failed: int = 0
    """Attempts that ended in an error; the queue says what became of each."""
    released: int = 0


POLL_SECONDS = 0.25


def drain(
    services: Services, claim: str, limits: DrainLimits, *, stop: threading.Event, report: Callable[[], None]
) -> DrainTotals:
    """Works until idle, out of time, or told to `stop`; then it finishes what it has begun and gives back the rest.

    An exception such as a terminated run's interrupt stops it in the same way before it goes on. `report` is called now
    and then, and at the end, with everything that finished committed.
    """
    with suppress(IngestError):
        before_load(services)
    worker = _Worker(services, claim, limits, stop, report)
    try:
        with kept_lease(services.jobs, claim, services.lease):
            worker.work()
    finally:
        worker.totals.released = services.jobs.release(claim)
    with suppress(IngestError):
        keep_index(services)
    return worker.totals


@dataclass(slots=True)
class _Worker:
    services: Services
    claim: str
    limits: DrainLimits
    stop: threading.Event
    report: Callable[[], None]
    totals: DrainTotals = field(default_factory=DrainTotals)
    claimed: deque[Job] = field(default_factory=deque)
    under_way: set[Future[bool]] = field(default_factory=set)
    queue_is_empty: bool = False
    looked_at: float = -inf
    reclaimed_at: float = -inf
    busy_at: float = -inf
    reported_at: float = -inf
    unreported: bool = True
    """At the beginning too: a worker before it may have died before it reported."""

    def work(self) -> None:
        begun_at = self.busy_at = self.reported_at = self._now()
        with ThreadPoolExecutor(self.limits.in_flight, thread_name_prefix="document") as pool:
            try:
                while not self.stop.is_set() and self._now() - begun_at < self.limits.duration.total_seconds():
                    self._claim()
                    self._begin(pool)
                    if not self.under_way and self._is_idle():
                        break
                    self._await_document()
            finally:
                self._count(wait(self.under_way).done)
                self._report()

    def _claim(self) -> None:
        room = self.limits.in_flight + self.limits.ahead - len(self.under_way) - len(self.claimed)
        if 2 * room < self.limits.ahead or (self.queue_is_empty and self._now() - self.looked_at < POLL_SECONDS):
            return
        self.looked_at = self._now()
        if self.looked_at - self.reclaimed_at > self.services.lease.total_seconds() / 3:
            self.services.jobs.reclaim(self.services.retry_policy.crashes, Actor.of_claim(self.claim))
            self.reclaimed_at = self.looked_at
        found = self.services.jobs.claim(self.claim, room, self.services.lease) if self.services.available() else []
        self.queue_is_empty = len(found) < room
        self.claimed += found

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        while self.claimed and len(self.under_way) < self.limits.in_flight:
            self.under_way.add(pool.submit(attempt, self.claimed.popleft(), self.services))

    def _await_document(self) -> None:
        if not self.under_way:
            self._report()
            self.stop.wait(POLL_SECONDS)
            return
        ended, self.under_way = wait(self.under_way, POLL_SECONDS, FIRST_COMPLETED)
        self._count(ended)
        self.busy_at = self._now()
        self.queue_is_empty = self.queue_is_empty and bool(self.under_way)  # what has just failed may be due again
        if self.busy_at - self.reported_at > self.limits.report_every.total_seconds():
            self._report()

    def _is_idle(self) -> bool:
        if self.limits.until_empty:
            return not self.services.jobs.unfinished()
        return self._now() - self.busy_at >= self.limits.idle.total_seconds()

    def _count(self, ended: set[Future[bool]]) -> None:
        done = sum(future.result() for future in ended)
        self.totals.done += done
        self.totals.failed += len(ended) - done
        self.unreported = self.unreported or done > 0

    def _report(self) -> None:
        if self.unreported:
            self.report()
        self.unreported, self.reported_at = False, self._now()

    def _now(self) -> float:
        return self.services.clock.seconds()


def attempt(job: Job, services: Services) -> bool:
    """Whether it succeeded; if not, the job is settled."""
    try:
        process_document(job, services)
    except Exception as error:
        settle_failure(job, as_ingest_error(error), services, reported=False)
        return False
    return True


def process_document(job: Job, services: Services) -> None:
    """One document through the four steps, the same that the assets take."""
    jobs, documents, objects = services.jobs, services.documents, services.objects
    parsed = parse_document(job, jobs=jobs, documents=documents, objects=objects, parser=services.parser)
    store_parse(job, parsed, documents=documents, objects=objects)
    chunks = chunk_parse(job, parsed, services.chunking, jobs=jobs)
    store_chunks(job, chunks, services.chunking, chunk_buffer=services.chunk_buffer)
    embedding = embed_chunks(job, chunks, jobs=jobs, vector_buffer=services.vector_buffer, embedder=services.embedder)
    fresh = pass_embedding_on(job, embedding, vector_buffer=services.vector_buffer)
    vectors = StoredVectors(embedding.model, frozenset(chunk.chunk_sha for chunk in chunks))
    version = complete_version(chunks, vectors)
    commit_version(job, version, committed=services.committed, fresh=fresh, reported=False)
