"""The sensor that looks at the queue every few seconds."""

import dagster as dg

from ingest_assets.orchestration.jobs import drain_queue, ingest_document
from ingest_assets.orchestration.queue import JOBS_PER_WORKER, drain_runs, live_runs, partition_runs
from ingest_assets.pipeline.ports.claiming import Backlog, Claims
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.providers import Availability
from ingest_assets.settings import Settings


def queued_jobs_sensor(settings: Settings) -> dg.SensorDefinition:
    """Return the sensor, which starts runs for queued documents."""

    @dg.sensor(
        name="queued_jobs",
        jobs=[ingest_document, drain_queue],
        minimum_interval_seconds=settings.sensor_seconds,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts one run per job if few jobs wait, and drain runs for a backlog.",
    )
    def queued_jobs(
        context: dg.SensorEvaluationContext,
        backlog: dg.ResourceParam[Backlog],
        claims: dg.ResourceParam[Claims],
        clock: dg.ResourceParam[Clock],
        providers: dg.ResourceParam[Availability],
    ) -> dg.SensorResult | dg.SkipReason:
        instance = context.instance
        room = max(0, settings.few_jobs - live_runs(instance, ingest_document.name))
        waiting = backlog.waiting(room + JOBS_PER_WORKER * settings.drain_workers)
        if waiting == 0:
            return dg.SkipReason("The queue is empty.")
        if not providers.take_calls():
            return dg.SkipReason("A provider that every document needs accepts no calls at the moment.")
        if waiting > room:
            return dg.SensorResult(run_requests=list(drain_runs(backlog, clock, instance, waiting, settings)))
        return dg.SensorResult(run_requests=list(partition_runs(claims, settings.lease, instance, waiting)))

    return queued_jobs
