"""What the sensor does not see: retries left over, workers that died, failures that only a drain run knows."""

from collections.abc import Iterator

import dagster as dg

from ingest_assets.orchestration.jobs import ingest_document
from ingest_assets.orchestration.queue import dead_letter_runs, partition_runs
from ingest_assets.orchestration.resources import Pipeline

RUNS_PER_TICK = 10


@dg.schedule(
    cron_schedule="* * * * *",
    job=ingest_document,
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Gives dead workers' documents back, retries what is due, shows dead letters as failed partitions.",
)
def retry_failed_partitions(
    context: dg.ScheduleEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
) -> Iterator[dg.RunRequest]:
    services = pipeline.services
    services.jobs.reclaim(services.retry_policy.crashes, "retry_failed_partitions")
    if services.available():
        yield from partition_runs(services, context.instance, RUNS_PER_TICK, retries_only=True)
    yield from dead_letter_runs(services, context.instance, RUNS_PER_TICK)
