"""Looks at the queue every few seconds."""

import dagster as dg

from ingest_assets.orchestration.jobs import drain_queue, ingest_document
from ingest_assets.orchestration.queue import JOBS_PER_WORKER, drain_runs, live_runs, partition_runs
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
        room = max(0, settings.few_jobs - live_runs(instance, ingest_document.name))
        waiting = services.jobs.waiting(room + JOBS_PER_WORKER * settings.drain_workers)
        if waiting == 0:
            return dg.SkipReason("The queue is empty.")
        if not services.available():
            return dg.SkipReason("A service that every document needs takes no calls for now.")
        if waiting > room:
            return dg.SensorResult(run_requests=list(drain_runs(services, instance, waiting, settings)))
        return dg.SensorResult(run_requests=list(partition_runs(services, instance, waiting)))

    return queued_jobs
