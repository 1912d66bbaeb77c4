"""Report materializations in batches: one write per asset and batch, instead of one per document.

A test compares the result with that of one run per document.
"""

from collections.abc import Sequence

import dagster as dg

from ingest_assets.domain.queue.jobs import Outcome, without_text
from ingest_assets.orchestration.dagster_internals.event_batches import log_as_one_batch
from ingest_assets.pipeline.ports.reporting import Reports
from ingest_assets.pipeline.steps import STEPS

BATCH_SIZE = 500


def report_outcomes(context: dg.OpExecutionContext, outcomes: Sequence[Outcome]) -> None:
    """Add a partition for each document and log its materializations, asset by asset."""
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
        log_as_one_batch(context, materializations, most=BATCH_SIZE)


def report_all(context: dg.OpExecutionContext, reports: Reports, here: str) -> None:
    """Report everything that is finished to the Dagster with this id of its storage."""
    reported = BATCH_SIZE
    while reported == BATCH_SIZE:
        with reports.finished(BATCH_SIZE, here) as outcomes:
            report_outcomes(context, outcomes)
            reported = len(outcomes)
