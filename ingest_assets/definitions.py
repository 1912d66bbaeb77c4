"""The code location: what `workspace.yaml` names. Loading it does no I/O and needs no service.

It changes Dagster in the process that loads it: see `orchestration.dagster_internals.install`.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ingest_assets.composition import compose, once
from ingest_assets.orchestration.assets import ASSETS
from ingest_assets.orchestration.checks import CHECKS, measure_recall
from ingest_assets.orchestration.dagster_internals import install
from ingest_assets.orchestration.deletions import finish_deleted
from ingest_assets.orchestration.io_managers import ChunkBuffer, DocumentChunks, ParsedText, VectorBuffer
from ingest_assets.orchestration.jobs import drain_queue, ingest_document
from ingest_assets.orchestration.partition_pruning import prune_partitions
from ingest_assets.orchestration.purging import purge_runs
from ingest_assets.orchestration.resources import Pipeline
from ingest_assets.orchestration.schedules import (
    daily_purge,
    hourly_pruning,
    look_after_deletions,
    look_after_vector_index,
    measure_recall_daily,
    retry_failed_partitions,
)
from ingest_assets.orchestration.sensors import queued_jobs_sensor
from ingest_assets.orchestration.vector_index import keep_vector_index, vector_index
from ingest_assets.pipeline.services import Services
from ingest_assets.settings import Settings


def build_definitions(settings: Settings, overrides: Mapping[str, Any] | None = None) -> dg.Definitions:
    """Return everything Dagster knows of; `overrides` replaces resources by name, in tests and other deployments."""

    def make_services() -> Services:
        return compose(settings).services

    pipeline = (overrides or {}).get("pipeline") or Pipeline(once(make_services))
    resources = {
        "pipeline": pipeline,
        "parsed_text": ParsedText(pipeline),
        "chunk_buffer": ChunkBuffer(pipeline),
        "vector_buffer": VectorBuffer(pipeline),
        "document_chunks": DocumentChunks(pipeline),
        "retention": settings.retention,
    }
    return dg.Definitions(
        assets=[*ASSETS, vector_index],
        asset_checks=CHECKS,
        jobs=[
            ingest_document,
            drain_queue,
            finish_deleted,
            keep_vector_index,
            measure_recall,
            prune_partitions,
            purge_runs,
        ],
        sensors=[queued_jobs_sensor(settings)],
        schedules=[
            retry_failed_partitions,
            look_after_vector_index,
            measure_recall_daily,
            hourly_pruning,
            look_after_deletions,
            daily_purge,
        ],
        resources=resources | dict(overrides or {}),
        executor=dg.in_process_executor,
    )


install()
defs = build_definitions(Settings())
