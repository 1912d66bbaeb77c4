"""Many materializations in one write.

This module uses `DagsterEventBatchMetadata`, `DagsterEvent.asset_materialization` with it, and the environment variable
`DAGSTER_EVENT_BATCH_SIZE`. The public way (`OpExecutionContext.log_event`) writes once per event and refreshes the
asset's index each time, and a drain run reports four events per document. `StepExecutionContext.log` is a logger, and
an event's time is that of its log record.
"""

import itertools
import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import uuid4

import dagster as dg
from dagster import DagsterEvent
from dagster._core.events import DagsterEventBatchMetadata

MILLISECONDS = 1000


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
    with _times_apart(step.log, len(materializations)):
        for position, materialization in enumerate(materializations, start=1):
            end = DagsterEventBatchMetadata(batch, is_end=position == len(materializations))
            DagsterEvent.asset_materialization(step, materialization, end)


@contextmanager
def _times_apart(log: logging.Logger, count: int) -> Iterator[None]:
    """Date what is logged in the block a millisecond apart, up to now: the page shows one event of each millisecond."""
    first = int(time.time() * MILLISECONDS) - count + 0.5  # the middle of a millisecond, which rounding does not leave
    numbers = itertools.count()

    def date(record: logging.LogRecord) -> bool:
        record.created = (first + next(numbers)) / MILLISECONDS
        return True

    log.addFilter(date)
    try:
        yield
    finally:
        log.removeFilter(date)
