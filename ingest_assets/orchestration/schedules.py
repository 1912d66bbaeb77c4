"""What the sensor does not see: due retries, dead workers, failures that only a drain run knows, the vector index."""

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
    description="Gives dead workers' documents back, retries what is due, shows dead letters as failed partitions.",
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
    description="Forgets the partitions of deleted documents, and of finished ones beyond the newest.",
)
def hourly_unlisting(
    context: dg.ScheduleEvaluationContext,
    partitions: dg.ResourceParam[Partitions],
    retention: dg.ResourceParam[RetentionPolicy],
) -> dg.RunRequest | dg.SkipReason:
    if backfills_under_way(context.instance):
        return dg.SkipReason("A backfill is under way, and its partitions stay.")
    if surplus(retention, partitions.listed()) == ListedDocuments(finished=0, deleted=0):
        return dg.SkipReason("No partition is to be forgotten.")
    return dg.RunRequest()


@dg.schedule(
    cron_schedule="47 * * * *",
    job=finish_deleted,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Has deletions finished that were interrupted, and looked at once more after a day.",
)
def look_after_deletions(deletions: dg.ResourceParam[Deletions]) -> dg.RunRequest | dg.SkipReason:
    if deletions.to_finish(1):
        return dg.RunRequest()
    return dg.SkipReason("No deletion is to be finished.")


@dg.schedule(
    cron_schedule="37 3 * * *",
    job=purge_runs,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Deletes old runs that nothing in the UI is read from.",
)
def daily_purge(retention: dg.ResourceParam[RetentionPolicy]) -> dg.RunRequest | dg.SkipReason:
    if retention.history is None:
        return dg.SkipReason("Runs are kept for ever.")
    return dg.RunRequest()


@dg.schedule(
    cron_schedule="* * * * *",
    job=keep_vector_index,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Has the vector index built where no drain run did it: after partition runs, and after a crash.",
)
def look_after_vector_index(index_keeper: dg.ResourceParam[IndexKeeper]) -> dg.RunRequest | dg.SkipReason:
    if index_keeper.is_due():
        return dg.RunRequest()
    return dg.SkipReason("The vector index is as it should be.")


measure_recall_daily = dg.ScheduleDefinition(
    name="measure_recall_daily",
    job=measure_recall,
    cron_schedule="30 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Measures every night whether searches find what is nearest.",
)
