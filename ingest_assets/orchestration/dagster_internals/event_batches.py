"""Many materializations in one write.

This module uses `DagsterEventBatchMetadata`, `DagsterEvent.asset_materialization` with it, and the environment variable
`DAGSTER_EVENT_BATCH_SIZE`. The public way (`OpExecutionContext.log_event`) writes once per event and refreshes the
asset's index each time, and a drain run reports four events per document.
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
    """Log materializations of one asset. The storage refreshes the asset's index only for the last one.

    Args:
        context: The context of the op that logs them.
        materializations: The materializations, in order.
        most: How many events Dagster writes at once.
    """
    os.environ["DAGSTER_EVENT_BATCH_SIZE"] = str(most)
    step, batch = context.get_step_execution_context(), str(uuid4())
    for position, materialization in enumerate(materializations, start=1):
        end = DagsterEventBatchMetadata(batch, is_end=position == len(materializations))
        DagsterEvent.asset_materialization(step, materialization, end)
