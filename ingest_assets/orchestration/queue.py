"""The queue drives Dagster: few jobs get a run each, a backlog gets drain runs, retries get their partition again."""

from collections.abc import Iterator
from uuid import uuid4

import dagster as dg

from ingest_assets.orchestration.claims import CLAIM_TAG, DEAD_LETTER_TAG
from ingest_assets.orchestration.jobs import drain_documents, drain_queue, ingest_document
from ingest_assets.orchestration.partitions import documents
from ingest_assets.pipeline.services import Services

LIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]

FIRST = {"dagster/priority": "1"}
"""On what the queue asks for: it need not wait until a backfill that somebody started has ended."""


def live_runs(instance: dg.DagsterInstance, job_name: str) -> int:
    return instance.get_runs_count(dg.RunsFilter(job_name=job_name, statuses=LIVE))


def partition_runs(
    services: Services, instance: dg.DagsterInstance, limit: int, *, retries_only: bool = False
) -> Iterator[dg.RunRequest]:
    """Leases up to `limit` jobs, each under a claim of its own, and asks for a run for each."""
    for _ in range(limit):
        claim = f"run-{uuid4()}"
        claimed = services.jobs.claim(claim, 1, services.lease, retries_only=retries_only)
        if not claimed:
            return
        key = str(claimed[0].document.document_id)
        instance.add_dynamic_partitions(str(documents.name), [key])
        yield dg.RunRequest(claim, job_name=ingest_document.name, partition_key=key, tags=FIRST | {CLAIM_TAG: claim})


def dead_letter_runs(services: Services, instance: dg.DagsterInstance, limit: int) -> Iterator[dg.RunRequest]:
    """Asks for a run that shows, as a failed partition, each dead letter that only a drain run has seen."""
    for document_id in services.jobs.report_dead_letters(limit):
        instance.add_dynamic_partitions(str(documents.name), [str(document_id)])
        yield dg.RunRequest(
            f"dead-letter-{uuid4()}",
            job_name=ingest_document.name,
            partition_key=str(document_id),
            tags=FIRST | {DEAD_LETTER_TAG: "shown"},
        )


def drain_runs(instance: dg.DagsterInstance, workers: int, idle_seconds: float) -> Iterator[dg.RunRequest]:
    """Asks for as many drain runs as `workers` allows beside those that live."""
    for _ in range(workers - live_runs(instance, drain_queue.name)):
        config = {"ops": {drain_documents.name: {"config": {"idle_seconds": idle_seconds}}}}
        yield dg.RunRequest(job_name=drain_queue.name, run_config=config, tags=FIRST)
