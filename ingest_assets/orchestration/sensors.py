"""Looks at the queue every few seconds."""

import dagster as dg

from ingest_assets.orchestration.jobs import drain_queue, ingest_document
from ingest_assets.orchestration.queue import drain_runs, partition_runs
from ingest_assets.orchestration.resources import Pipeline
from ingest_assets.settings import Settings


def queued_jobs_sensor(settings: Settings) -> dg.SensorDefinition:
    @dg.sensor(
        name="queued_jobs",
        jobs=[ingest_document, drain_queue],
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a run for each of a few waiting jobs, and drain runs for a backlog.",
    )
    def queued_jobs(
        context: dg.SensorEvaluationContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> dg.SensorResult | dg.SkipReason:
        services, instance = pipeline.services, context.instance
        waiting = services.jobs.waiting(settings.few_jobs + 1)
        if waiting == 0:
            return dg.SkipReason("The queue is empty.")
        if waiting > settings.few_jobs:
            runs = drain_runs(instance, settings.drain_workers, settings.drain_idle_seconds)
            return dg.SensorResult(run_requests=list(runs))
        return dg.SensorResult(run_requests=list(partition_runs(services, instance, waiting)))

    return queued_jobs
