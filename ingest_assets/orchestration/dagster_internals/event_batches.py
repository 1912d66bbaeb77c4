"""Materializations in one write.

Uses `DagsterEventBatchMetadata`, `DagsterEvent.asset_materialization` with it, and the environment variable
`DAGSTER_EVENT_BATCH_SIZE`: the public way (`OpExecutionContext.log_event`) writes once per event, with a refresh of the
asset's index each, and a drain run reports four events of each document.
"""

import os
from collections.abc import Sequence
from uuid import uuid4

import dagster as dg
from dagster import DagsterEvent
from dagster._core.events import DagsterEventBatchMetadata


def log_as_one_batch(
    context: dg.OpExecutionContext, materializations: Sequence[dg.AssetMaterialization], *, most: int
) -> None:
    """Log materializations of one asset: the storage refreshes the index for a batch's last event only.

    Args:
        context: Of the op in whose name they are logged.
        materializations: What is logged, in this order.
        most: How many events Dagster writes at once.
    """
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = str(most)
    step, batch = context.get_step_execution_context(), str(uuid4())
    for position, materialization in enumerate(materializations, start=1):
        end = DagsterEventBatchMetadata(batch, is_end=position == len(materializations))
        DagsterEvent.asset_materialization(step, materialization, end)
