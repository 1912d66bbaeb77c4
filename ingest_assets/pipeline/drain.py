"""One worker works the queue off: claims in batches, each document through the four steps, each failure its own."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.jobs import Job
from ingest_assets.pipeline.chunk import chunk_parse, store_chunks
from ingest_assets.pipeline.commit import commit_version, complete_version
from ingest_assets.pipeline.embed import StoredVectors, embed_chunks, store_embedding
from ingest_assets.pipeline.failure import as_ingest_error, settle_failure
from ingest_assets.pipeline.lease import kept_lease
from ingest_assets.pipeline.parse import parse_document, store_parse
from ingest_assets.pipeline.services import Services
from ingest_assets.pipeline.vector_index import before_load, keep_index


@dataclass(frozen=True, slots=True)
class DrainLimits:
    batch: int = 32
    """Jobs claimed at once."""
    in_flight: int = 4
    """Documents worked on at once."""
    idle: timedelta = timedelta(seconds=10)
    """How long it waits for more work before it ends."""
    duration: timedelta = timedelta(minutes=15)
    """How long it claims before it makes room for a fresh worker."""
    until_empty: bool = False
    """Whether it also waits for retries that are not due yet and for what others hold."""


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
    """Works until idle, out of time, or told to `stop`; then gives back what it has not begun.

    `report` is called after each batch, with everything that finished committed.
    """
    totals = DrainTotals()
    with suppress(IngestError):
        before_load(services)
    try:
        with kept_lease(services.jobs, claim, services.lease):
            idle = _work_until_idle(services, claim, limits, stop, report, totals)
    finally:
        totals.released = services.jobs.release(claim)
    if idle:
        with suppress(IngestError):
            keep_index(services)
    return totals


def _work_until_idle(
    services: Services,
    claim: str,
    limits: DrainLimits,
    stop: threading.Event,
    report: Callable[[], None],
    totals: DrainTotals,
) -> bool:
    """Whether there was nothing more to do."""
    begun = last_work = services.clock.seconds()
    with ThreadPoolExecutor(limits.in_flight, thread_name_prefix="document") as pool:
        while not stop.is_set() and services.clock.seconds() - begun < limits.duration.total_seconds():
            services.jobs.reclaim(services.retry_policy.crashes, claim)
            jobs = services.jobs.claim(claim, limits.batch, services.lease) if services.available() else []
            if jobs:
                _work_off(jobs, services, pool, stop, totals)
                report()
                last_work = services.clock.seconds()
            elif _is_idle(services, limits, last_work):
                return True
            else:
                stop.wait(POLL_SECONDS)
    return False


def process_document(job: Job, services: Services) -> None:
    """One document through the four steps, the same that the assets take."""
    jobs, documents, objects = services.jobs, services.documents, services.objects
    parsed = parse_document(job, jobs=jobs, documents=documents, objects=objects, parser=services.parser)
    store_parse(job, parsed, documents=documents, objects=objects)
    chunks = chunk_parse(job, parsed, services.chunking, jobs=jobs)
    store_chunks(job, chunks, services.chunking, chunk_buffer=services.chunk_buffer)
    embedding = embed_chunks(job, chunks, jobs=jobs, vector_buffer=services.vector_buffer, embedder=services.embedder)
    store_embedding(job, embedding, vector_buffer=services.vector_buffer)
    vectors = StoredVectors(embedding.model, frozenset(chunk.chunk_sha for chunk in chunks))
    commit_version(job, complete_version(chunks, vectors), committed=services.committed, reported=False)


def _work_off(
    jobs: list[Job], services: Services, pool: ThreadPoolExecutor, stop: threading.Event, totals: DrainTotals
) -> None:
    def work(job: Job) -> bool | None:
        return None if stop.is_set() else attempt(job, services)

    for succeeded in pool.map(work, jobs):
        totals.done += succeeded is True
        totals.failed += succeeded is False


def attempt(job: Job, services: Services) -> bool:
    """Whether it succeeded; if not, the job is settled."""
    try:
        process_document(job, services)
    except Exception as error:
        settle_failure(job, as_ingest_error(error), services, reported=False)
        return False
    return True


def _is_idle(services: Services, limits: DrainLimits, last_work: float) -> bool:
    if limits.until_empty:
        return services.jobs.unfinished() == 0
    return services.clock.seconds() - last_work >= limits.idle.total_seconds()
