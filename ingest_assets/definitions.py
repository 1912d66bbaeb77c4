"""The code location that `workspace.yaml` names. Loading it does no I/O and needs no server.

It changes Dagster in the process that loads it; see `orchestration.dagster_internals.install`.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ingest_assets.composition import Deployment
from ingest_assets.composition.tracing import begin_tracing
from ingest_assets.orchestration.alerts import alert_of_failures_sensor
from ingest_assets.orchestration.assets import ASSETS
from ingest_assets.orchestration.checks import CHECKS, check_queue, check_rows, measure_recall
from ingest_assets.orchestration.dagster_internals import install
from ingest_assets.orchestration.deletions import finish_deleted
from ingest_assets.orchestration.io_managers import step_io_manager
from ingest_assets.orchestration.jobs import drain_queue, ingest_document
from ingest_assets.orchestration.purging import purge_runs
from ingest_assets.orchestration.reconciliation import reconcile_dagster
from ingest_assets.orchestration.remote_jobs import settle_remote_jobs
from ingest_assets.orchestration.resources import resources_of
from ingest_assets.orchestration.schedules import (
    check_queue_hourly,
    check_rows_daily,
    daily_purge,
    daily_sweep,
    hourly_unlisting,
    look_after_dagster,
    look_after_deletions,
    look_after_remote_jobs,
    look_after_vector_index,
    measure_recall_daily,
    retry_failed_partitions,
)
from ingest_assets.orchestration.sensors import queued_jobs_sensor
from ingest_assets.orchestration.summaries import daily_summary, send_summary, weekly_summary
from ingest_assets.orchestration.sweeping import sweep_store
from ingest_assets.orchestration.unlisting import unlist_partitions
from ingest_assets.orchestration.vector_index import keep_vector_index, vector_index
from ingest_assets.settings import Settings


def build_definitions(deployment: Deployment, overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Return everything that Dagster loads. `overrides` replaces resources by name."""
    settings = deployment.settings
    values = {"retention": settings.retention, "has_lanes": settings.lanes, "step_io_manager": step_io_manager}
    resources = resources_of(deployment) | values
    return dg.Definitions(
        assets=[*ASSETS, vector_index],
        asset_checks=CHECKS,
        jobs=[
            ingest_document,
            drain_queue,
            finish_deleted,
            keep_vector_index,
            measure_recall,
            check_queue,
            check_rows,
            reconcile_dagster,
            unlist_partitions,
            sweep_store,
            purge_runs,
            send_summary,
            settle_remote_jobs,
        ],
        sensors=[
            queued_jobs_sensor(settings, parsed_remotely=deployment.parsing_provider is not None),
            alert_of_failures_sensor(settings),
        ],
        schedules=[
            retry_failed_partitions,
            look_after_dagster,
            look_after_vector_index,
            measure_recall_daily,
            check_queue_hourly,
            check_rows_daily,
            hourly_unlisting,
            look_after_deletions,
            look_after_remote_jobs,
            daily_purge,
            daily_sweep,
            daily_summary,
            weekly_summary,
        ],
        resources=resources | dict(overrides or {}),
        executor=dg.in_process_executor,
    )


install()
SETTINGS = Settings()
begin_tracing(SETTINGS)
defs = build_definitions(Deployment(SETTINGS))
