"""The queue drives Dagster: few jobs get a run each, a backlog gets drain runs, retries get their partition again."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import dagster as dg

from ingest_assets.orchestration.claims import CLAIM_TAG, DEAD_LETTER_TAG
from ingest_assets.orchestration.jobs import drain_config, drain_queue, ingest_document
from ingest_assets.orchestration.partitions import documents
from ingest_assets.pipeline.ports.claiming import Backlog, Claims
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.reporting import Reports
from ingest_assets.settings import Settings

LIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

JOBS_PER_WORKER = 200
"""A backlog that one worker works off before another one has started needs no other one."""

FIRST = {"dagster/priority": "1"}
"""On what the queue asks for: it need not wait until a backfill that somebody started has ended."""


def live_runs(instance: dg.DagsterInstance, job_name: str) -> int:
    return instance.get_runs_count(dg.RunsFilter(job_name=job_name, statuses=LIVE))


def partition_runs(
    claims: Claims, lease: timedelta, instance: dg.DagsterInstance, limit: int, *, retries_only: bool = False
) -> Iterator[dg.RunRequest]:
    """Leases up to `limit` jobs, each under a claim of its own, and asks for a run for each."""
    for _ in range(limit):
        claim = f"run-{uuid4()}"
        claimed = claims.claim(claim, 1, lease, retries_only=retries_only)
        if not claimed:
            return
        key = str(claimed[0].document.document_id)
        instance.add_dynamic_partitions(str(documents.name), [key])
        yield dg.RunRequest(claim, job_name=ingest_document.name, partition_key=key, tags=FIRST | {CLAIM_TAG: claim})


def dead_letter_runs(reports: Reports, instance: dg.DagsterInstance, limit: int) -> Iterator[dg.RunRequest]:
    """Asks for a run that shows, as a failed partition, each dead letter that only a drain run has seen."""
    with reports.dead_letters(limit) as document_ids:
        instance.add_dynamic_partitions(str(documents.name), [str(document_id) for document_id in document_ids])
    for document_id in document_ids:
        yield dg.RunRequest(
            f"dead-letter-{uuid4()}",
            job_name=ingest_document.name,
            partition_key=str(document_id),
            tags=FIRST | {DEAD_LETTER_TAG: "shown"},
        )


def drain_runs(
    backlog: Backlog, clock: Clock, instance: dg.DagsterInstance, waiting: int, settings: Settings
) -> Iterator[dg.RunRequest]:
    """Asks for a drain run for each JOBS_PER_WORKER waiting jobs, up to the settings' limit with those that live."""
    wanted = min(settings.drain_workers, -(-waiting // JOBS_PER_WORKER))
    config = drain_config(in_flight=settings.drain_in_flight, idle_seconds=settings.drain_idle_seconds)
    for _ in range(wanted - live_drain_runs(backlog, clock, settings.lease, instance)):
        yield dg.RunRequest(job_name=drain_queue.name, run_config=config, tags=FIRST)


def live_drain_runs(backlog: Backlog, clock: Clock, lease: timedelta, instance: dg.DagsterInstance) -> int:
    """Those that have yet to start, and those that hold a lease: one that holds none while jobs wait is dead."""
    holders, now = backlog.holders(), clock.now().timestamp()
    return sum(
        record.dagster_run.status is not dg.DagsterRunStatus.STARTED
        or record.dagster_run.run_id in holders
        or now - (record.start_time or now) < lease.total_seconds()
        for record in instance.get_run_records(dg.RunsFilter(job_name=drain_queue.name, statuses=LIVE))
    )
