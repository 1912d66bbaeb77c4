"""A drain run in the calling process."""

from typing import Any

import dagster as dg

from ingest_assets.orchestration.jobs import drain_config, drain_documents, drain_queue
from ingest_assets.orchestration.warm_launcher.other_launchers import FOREGROUND_TAG

DAY_SECONDS = 86_400.0

InterruptedRun = dg.DagsterExecutionInterruptedError
StoppedRun = dg.DagsterError
"""Any other Dagster error that ends the run."""


def drain_here(definitions: dg.Definitions, *, in_flight: int) -> dict[str, Any]:
    """Process the queue until it is empty and return the run's totals.

    Raises:
        InterruptedRun: The process was told to stop.
        StoppedRun: Dagster failed.
    """
    config = drain_config(in_flight=in_flight, until_empty=True, duration_seconds=DAY_SECONDS)
    config |= {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    job = definitions.resolve_job_def(drain_queue.name)
    with dg.DagsterInstance.get() as instance:
        result = job.execute_in_process(run_config=config, instance=instance, tags={FOREGROUND_TAG: "drain"})
    return dict(result.output_for_node(drain_documents.name))
