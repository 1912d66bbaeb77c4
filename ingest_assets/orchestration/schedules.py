"""Schedules for what the sensor does not see: due retries, dead workers, dead letters of drain runs, the index."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from uuid import uuid4

import dagster as dg

from ingest_assets.domain.documents.retention import ListedDocuments, RetentionPolicy, surplus
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.orchestration.checks import check_queue, check_rows, measure_recall
from ingest_assets.orchestration.deletions import finish_deleted
from ingest_assets.orchestration.jobs import ingest_document
from ingest_assets.orchestration.purging import purge_runs
from ingest_assets.orchestration.queue import dead_letter_runs, live_runs, partition_runs
from ingest_assets.orchestration.reconciliation import has_work, reconcile_dagster
from ingest_assets.orchestration.remote_jobs import settle_remote_jobs
from ingest_assets.orchestration.run_history import backfills_under_way
from ingest_assets.orchestration.sweeping import sweep_store
from ingest_assets.orchestration.unlisting import unlist_moved, unlist_partitions
from ingest_assets.orchestration.vector_index import keep_vector_index
from ingest_assets.pipeline.failure import Failures, as_ingest_error
from ingest_assets.pipeline.ports.claiming import Claims
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.deleting import Deletions
from ingest_assets.pipeline.ports.instances import Listings
from ingest_assets.pipeline.ports.providers import Availability
from ingest_assets.pipeline.ports.reporting import Partitions, Reports
from ingest_assets.pipeline.remote_upkeep import RemoteUpkeep
from ingest_assets.pipeline.vector_index import IndexKeeper

RUNS_PER_TICK = 10
LONGEST_ROUND = timedelta(hours=1)
"""After this time, a run about remote jobs is taken for dead: nobody else may have noticed."""


@dg.schedule(
    cron_schedule="* * * * *",
    job=ingest_document,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Requeues documents of crashed workers, retries documents that are due unless lanes do, and shows dead "
    "letters as failed partitions.",
)
def retry_failed_partitions(
    context: dg.ScheduleEvaluationContext,
    claims: dg.ResourceParam[Claims],
    failures: dg.ResourceParam[Failures],
    reports: dg.ResourceParam[Reports],
    providers: dg.ResourceParam[Availability],
    lease: dg.ResourceParam[timedelta],
    listings: dg.ResourceParam[Listings],
    has_lanes: dg.ResourceParam[bool],
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    instance = context.instance

    def reclaim() -> None:
        failures.reclaim(Actor("retry_failed_partitions", str(uuid4())))

    def retry() -> Iterator[dg.RunRequest]:
        if providers.take_calls() and not has_lanes:  # a run of one document knows no lanes
            yield from partition_runs(claims, listings, lease, instance, RUNS_PER_TICK, retries_only=True)

    requests = _requests_of(
        context,
        reclaim,
        retry,
        lambda: dead_letter_runs(reports, instance, RUNS_PER_TICK),
        lambda: unlist_moved(instance, listings),
    )
    if not requests:
        yield dg.SkipReason("No retry is due, and every dead letter is shown.")
    yield from requests


@dg.schedule(
    cron_schedule="* * * * *",
    job=reconcile_dagster,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Corrects what Dagster shows of documents whose run or worker died, and of backfills with such runs.",
)
def look_after_dagster(
    context: dg.ScheduleEvaluationContext, reports: dg.ResourceParam[Reports], clock: dg.ResourceParam[Clock]
) -> dg.RunRequest | dg.SkipReason:
    if has_work(context.instance, reports, clock.now()):
        return dg.RunRequest()
    return dg.SkipReason("Dagster shows what is so.")


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
    cron_schedule="* * * * *",
    job=settle_remote_jobs,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Books late bills of providers, and removes jobs there that no document needs any more.",
)
def look_after_remote_jobs(
    context: dg.ScheduleEvaluationContext,
    remote_upkeep: dg.ResourceParam[RemoteUpkeep],
    clock: dg.ResourceParam[Clock],
) -> dg.RunRequest | dg.SkipReason:
    if live_runs(context.instance, settle_remote_jobs.name, clock.now() - LONGEST_ROUND):
        return dg.SkipReason("The last run is still at it.")
    if remote_upkeep.is_due():
        return dg.RunRequest()
    return dg.SkipReason("There is no bill to ask for, and no job to remove.")


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


def _requests_of(
    context: dg.ScheduleEvaluationContext, *parts: Callable[[], Iterable[dg.RunRequest] | None]
) -> list[dg.RunRequest]:
    """Return what all parts request. One that fails stops no other, and fails the tick only if nothing is requested."""
    requests: list[dg.RunRequest] = []
    problems: list[Exception] = []
    for part in parts:
        try:
            for request in part() or ():
                requests.append(request)  # noqa: PERF402  what came before a failure counts
        except Exception as error:
            problems.append(error)
    if problems and not requests:
        raise problems[0]
    for problem in problems:
        context.log.warning("A part of this tick failed: %s", as_ingest_error(problem).code)
    return requests


daily_sweep = dg.ScheduleDefinition(
    name="daily_sweep",
    job=sweep_store,
    cron_schedule="7 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Removes stored bytes that belong to no document or to a replaced version.",
)

measure_recall_daily = dg.ScheduleDefinition(
    name="measure_recall_daily",
    job=measure_recall,
    cron_schedule="30 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Measures every night whether searches find the nearest chunks.",
)

check_queue_hourly = dg.ScheduleDefinition(
    name="check_queue_hourly",
    job=check_queue,
    cron_schedule="27 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Checks every hour that no document waits for too long.",
)

check_rows_daily = dg.ScheduleDefinition(
    name="check_rows_daily",
    job=check_rows,
    cron_schedule="50 3 * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Looks every night for what must never happen.",
)
