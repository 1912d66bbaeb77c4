"""How the queue drives Dagster: a few jobs get one run each, a backlog gets drain runs, retries get partition runs."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

import dagster as dg

from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.orchestration.claims import (
    CLAIM_TAG,
    CORRELATION_TAG,
    DEAD_LETTER_TAG,
    INSTANCE_TAG,
    LANE_TAG,
    RUN_CLAIM,
)
from ingest_assets.orchestration.instance import dagster_id
from ingest_assets.orchestration.jobs import drain_config, drain_queue, ingest_document
from ingest_assets.orchestration.partitions import documents
from ingest_assets.orchestration.workers import LIVE, Workers
from ingest_assets.pipeline.ports.claiming import Claims
from ingest_assets.pipeline.ports.instances import Listings
from ingest_assets.pipeline.ports.reporting import Reports
from ingest_assets.settings import Settings

JOBS_PER_WORKER = 200
"""How many waiting jobs justify another worker where this machine parses: one worker finishes fewer before another has
started."""

FIRST = {"dagster/priority": "1"}
"""The tag of runs that the queue starts, so that they do not wait for a backfill to end."""


def live_runs(instance: dg.DagsterInstance, job_name: str, since: datetime | None = None) -> int:
    """Return how many runs of a Dagster job have not ended, of those that were created since then."""
    return instance.get_runs_count(dg.RunsFilter(job_name=job_name, statuses=LIVE, created_after=since))


def partition_runs(
    claims: Claims,
    listings: Listings,
    lease: timedelta,
    instance: dg.DagsterInstance,
    limit: int,
    *,
    retries_only: bool = False,
) -> Iterator[dg.RunRequest]:
    """Claim up to `limit` jobs, each under its own claim, and request a run for each."""
    for _ in range(limit):
        claim = f"{RUN_CLAIM}{uuid4()}"
        claimed = claims.claim(claim, 1, lease, retries_only=retries_only)
        if not claimed:
            return
        document_id = claimed[0].document.document_id
        key = str(document_id)
        listings.move_here([document_id], dagster_id(instance))
        instance.add_dynamic_partitions(str(documents.name), [key])
        tags = FIRST | {CLAIM_TAG: claim, CORRELATION_TAG: claimed[0].correlation_id}
        yield dg.RunRequest(claim, job_name=ingest_document.name, partition_key=key, tags=tags)


def dead_letter_runs(reports: Reports, instance: dg.DagsterInstance, limit: int) -> Iterator[dg.RunRequest]:
    """Request runs that show, as failed partitions, the dead letters that only drain runs have seen."""
    with reports.dead_letters(limit, dagster_id(instance)) as document_ids:
        instance.add_dynamic_partitions(str(documents.name), [str(document_id) for document_id in document_ids])
    for document_id in document_ids:
        yield dg.RunRequest(
            f"dead-letter-{uuid4()}",
            job_name=ingest_document.name,
            partition_key=str(document_id),
            tags=FIRST | {DEAD_LETTER_TAG: "shown"},
        )


def jobs_per_worker(settings: Settings, *, parsed_remotely: bool) -> dict[Lane | None, int]:
    """Return how many waiting jobs of each lane justify another worker; None is the lane of those that take all.

    Where parsing or recognising makes them wait, that is as many as have a place with one worker.
    """
    to_parse = min(JOBS_PER_WORKER, settings.parses_in_flight) if parsed_remotely else JOBS_PER_WORKER
    if not settings.lanes:
        return {None: to_parse}
    return {Lane.PARSE: to_parse, Lane.OCR: settings.recognitions_in_flight, Lane.EMBED: JOBS_PER_WORKER}


def drain_runs(
    workers: Workers,
    instance: dg.DagsterInstance,
    waiting: Mapping[Lane | None, int],
    settings: Settings,
    worth_a_worker: Mapping[Lane | None, int],
) -> Iterator[dg.RunRequest]:
    """Request one drain run for each so many waiting jobs of a lane as are worth a worker.

    Those that only finish do not count. The settings' limit holds for the live runs of all deployments on this database
    together.
    """
    most = max(settings.drain_workers, len(worth_a_worker))
    claiming = workers.claiming(instance, settings.lease)
    count = partial(workers.live_drain_runs, instance, settings.lease)
    live = count()
    missing = {lane: -(-jobs // worth_a_worker[lane]) - claiming[lane] for lane, jobs in waiting.items()}
    wanted = shared_out(missing, claiming, worth_a_worker.keys(), most - live)
    allowed = workers.instances.reserve(live + len(wanted), own=count, most=most)
    limits = {"in_flight": settings.drain_in_flight, "idle_seconds": settings.drain_idle_seconds}
    for lane in wanted[:allowed]:
        tags = FIRST | {INSTANCE_TAG: workers.name} | ({} if lane is None else {LANE_TAG: str(lane)})
        yield dg.RunRequest(job_name=drain_queue.name, run_config=drain_config(lane, **limits), tags=tags)


def shared_out(
    missing: Mapping[Lane | None, int],
    claiming: Mapping[Lane | None, int],
    lanes: Collection[Lane | None],
    room: int,
) -> list[Lane | None]:
    """Return the lanes of the runs to request, those with the fewest runs first; each keeps a place for its first run.

    Args:
        missing: How many more runs each lane is worth.
        claiming: How many runs each lane has.
        lanes: All lanes.
        room: How many more runs there may be.
    """
    has_runs = {lane for lane in lanes if claiming.get(lane)}
    chosen: list[Lane | None] = []
    ranked = [(claiming.get(lane, 0) + number, lane) for lane, count in missing.items() for number in range(count)]
    for _, lane in sorted(ranked, key=lambda one: (one[0], one[1] or "")):
        kept = len(lanes) - len(has_runs) if lane in has_runs else 0
        if len(chosen) + kept < room:
            chosen.append(lane)
            has_runs.add(lane)
    return chosen
