"""The sensor that looks at the queue every few seconds."""

from uuid import uuid4

import dagster as dg

from ingest_assets.domain.bounds import QUEUE_SENSOR
from ingest_assets.domain.errors import OutageError
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.orchestration.jobs import drain_queue, ingest_document
from ingest_assets.orchestration.queue import drain_runs, jobs_per_worker, live_runs, partition_runs
from ingest_assets.orchestration.workers import Workers
from ingest_assets.pipeline.failure import Failures
from ingest_assets.pipeline.ports.claiming import Backlog, Claims
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.instances import Instances, Listings
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.providers import Availability
from ingest_assets.settings import Settings


def queued_jobs_sensor(settings: Settings, *, parsed_remotely: bool) -> dg.SensorDefinition:
    """Return the sensor, which starts runs for queued documents."""

    @dg.sensor(
        name=QUEUE_SENSOR,
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
        failures: dg.ResourceParam[Failures],
        instances: dg.ResourceParam[Instances],
        instance_name: dg.ResourceParam[str],
        listings: dg.ResourceParam[Listings],
        objects: dg.ResourceParam[ObjectStore],
        providers: dg.ResourceParam[Availability],
    ) -> dg.SensorResult | dg.SkipReason:
        instance = context.instance
        failures.reclaim(Actor(QUEUE_SENSOR, str(uuid4())))
        workers = Workers(instance_name, instances, backlog, clock)
        workers.note(instance, settings.lease)
        room = 0 if settings.lanes else max(0, settings.few_jobs - live_runs(instance, ingest_document.name))
        worth_a_worker = jobs_per_worker(settings, parsed_remotely=parsed_remotely)
        waiting = {
            lane: backlog.waiting(room + worth * settings.drain_workers, lane) for lane, worth in worth_a_worker.items()
        }
        if not any(waiting.values()):
            return dg.SkipReason("The queue is empty.")
        waiting = {lane: count for lane, count in waiting.items() if count and providers.take_calls(lane)}
        if not waiting:
            return dg.SkipReason("A provider that every waiting document needs accepts no calls at the moment.")
        try:
            objects.check()
        except OutageError as outage:
            return dg.SkipReason(f"{outage.message} {outage.hint}")
        if sum(waiting.values()) > room:
            requests = list(drain_runs(workers, instance, waiting, settings, worth_a_worker))
            otherwise = "As many drain runs are at work as what waits is worth, or as INGEST_DRAIN_WORKERS allows."
        elif workers.claiming(instance, settings.lease):
            return dg.SkipReason("A drain run is at work, and takes the few jobs that wait.")
        else:
            requests = list(partition_runs(claims, listings, settings.lease, instance, sum(waiting.values())))
            otherwise = "Others have just claimed what waited."
        return dg.SensorResult(run_requests=requests) if requests else dg.SkipReason(otherwise)

    return queued_jobs
