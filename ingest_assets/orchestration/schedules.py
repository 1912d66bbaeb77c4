"""Schedules for what the sensor does not see: due retries, dead workers, dead letters of drain runs, the index."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import uuid4

import dagster as dg

from ingest_assets.domain.documents.retention import ListedDocuments, RetentionPolicy, surplus
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.orchestration.checks import measure_recall
from ingest_assets.orchestration.deletions import finish_deleted
from ingest_assets.orchestration.jobs import ingest_document
from ingest_assets.orchestration.purging import purge_runs
from ingest_assets.orchestration.queue import dead_letter_runs, partition_runs
from ingest_assets.orchestration.run_history import backfills_under_way
from ingest_assets.orchestration.unlisting import unlist_partitions
from ingest_assets.orchestration.vector_index import keep_vector_index
from ingest_assets.pipeline.failure import Failures
from ingest_assets.pipeline.ports.claiming import Claims
from ingest_assets.pipeline.ports.deleting import Deletions
from ingest_assets.pipeline.ports.providers import Availability
from ingest_assets.pipeline.ports.reporting import Partitions, Reports
from ingest_assets.pipeline.vector_index import IndexKeeper

RUNS_PER_TICK = 10


@dg.schedule(
    cron_schedule="* * * * *",
    job=ingest_document,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Requeues documents of crashed workers, retries documents that are due, and shows dead letters as "
    "failed partitions.",
)
def retry_failed_partitions(
    context: dg.ScheduleEvaluationContext,
    claims: dg.ResourceParam[Claims],
    failures: dg.ResourceParam[Failures],
    reports: dg.ResourceParam[Reports],
    providers: dg.ResourceParam[Availability],
    lease: dg.ResourceParam[timedelta],
) -> Iterator[dg.RunRequest]:
    failures.reclaim(Actor("retry_failed_partitions", str(uuid4())))
    if providers.take_calls():
        yield from partition_runs(claims, lease, context.instance, RUNS_PER_TICK, retries_only=True)
    yield from dead_letter_runs(reports, context.instance, RUNS_PER_TICK)


@dg.schedule(
    cron_schedule="17 * * * *",
    job=unlist_partitions,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Unlists deleted documents, and finished ones beyond the newest.",
)
def hourly_unlisting(
    context: dg.ScheduleEvaluationContext,
    partitions: dg.ResourceParam[Partitions],
    retention: dg.ResourceParam[RetentionPolicy],
) -> dg.RunRequest | dg.SkipReason:
    if backfills_under_way(context.instance):
        return dg.SkipReason("A backfill is running; its partitions stay.")
    if surplus(retention, partitions.listed()) == ListedDocuments(finished=0, deleted=0):
        return dg.SkipReason("There is no document to unlist.")
    return dg.RunRequest()


@dg.schedule(
    cron_schedule="47 * * * *",
    job=finish_deleted,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Finishes interrupted deletions, and checks every deletion once more after a day.",
)
def look_after_deletions(deletions: dg.ResourceParam[Deletions]) -> dg.RunRequest | dg.SkipReason:
    if deletions.to_finish(1):
        return dg.RunRequest()
    return dg.SkipReason("There is no deletion to finish.")


@dg.schedule(
    cron_schedule="37 3 * * *",
    job=purge_runs,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Deletes old runs from which the UI reads nothing any more.",
)
def daily_purge(retention: dg.ResourceParam[RetentionPolicy]) -> dg.RunRequest | dg.SkipReason:
    if retention.history is None:
        return dg.SkipReason("Runs are kept forever.")
    return dg.RunRequest()


@dg.schedule(
    cron_schedule="* * * * *",
    job=keep_vector_index,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Builds the vector index if no drain run has: after partition runs, and after a crash.",
)
def look_after_vector_index(index_keeper: dg.ResourceParam[IndexKeeper]) -> dg.RunRequest | dg.SkipReason:
    if index_keeper.is_due():
        return dg.RunRequest()
    return dg.SkipReason("The vector index needs no work.")


measure_recall_daily = dg.ScheduleDefinition(
    name="measure_recall_daily",
    job=measure_recall,
    cron_schedule="30 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Measures every night whether searches find the nearest chunks.",
)
