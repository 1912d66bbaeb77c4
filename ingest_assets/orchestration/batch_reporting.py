"""Materializations in batches: one write per asset and batch instead of one per document.

The batch form is internal to Dagster, hence the exact pin; a test compares its outcome with the public way's.
One batch holds one asset: the storage refreshes the asset index for a batch's last event only.
"""

import os
from collections.abc import Sequence
from uuid import uuid4

import dagster as dg
from dagster import DagsterEvent
from dagster._core.events import DagsterEventBatchMetadata

from ingest_assets.domain.queue.jobs import Outcome, without_text
from ingest_assets.pipeline.steps import STEPS

BATCH_SIZE = 500


def report_outcomes(context: dg.OpExecutionContext, outcomes: Sequence[Outcome]) -> None:
    """Add the partitions and log each document's materializations, asset by asset."""
    if not outcomes:
        return
    keys = [str(outcome.document_id) for outcome in outcomes]
    context.instance.add_dynamic_partitions("documents", keys)
    for step in STEPS:
        materializations = [
            dg.AssetMaterialization(
                step.asset, partition=key, metadata=without_text(outcome.payloads.get(step.leaves, {}))
            )
            for key, outcome in zip(keys, outcomes, strict=True)
        ]
        _log(context, materializations)


def _log(context: dg.OpExecutionContext, materializations: Sequence[dg.AssetMaterialization]) -> None:
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = str(BATCH_SIZE)
    step, batch = context.get_step_execution_context(), str(uuid4())
    for position, materialization in enumerate(materializations, start=1):
        end = DagsterEventBatchMetadata(batch, is_end=position == len(materializations))
        DagsterEvent.asset_materialization(step, materialization, end)
