"""Materializations in batches: one write per asset and batch instead of one per document.

A test compares the outcome with that of a run per document.
"""

from collections.abc import Mapping, Sequence

import dagster as dg

from ingest_assets.domain.queue.jobs import Outcome, without_text
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.orchestration.dagster_internals.event_batches import log_as_one_batch

BATCH_SIZE = 500

LAST_STAGES: Mapping[str, Stage] = {
    "parsed_markdown": Stage.PARSE_VALIDATED,
    "chunks": Stage.CHUNKS_BUFFERED,
    "embeddings": Stage.EMBEDDING,
    "finalized_chunks": Stage.EMBEDDED,
}
"""The stage whose event carries an asset's metadata."""


def report_outcomes(context: dg.OpExecutionContext, outcomes: Sequence[Outcome]) -> None:
    """Makes the partitions known and logs the four assets' materializations of each document."""
    if not outcomes:
        return
    keys = [str(outcome.document_id) for outcome in outcomes]
    context.instance.add_dynamic_partitions("documents", keys)
    for asset, stage in LAST_STAGES.items():
        materializations = [
            dg.AssetMaterialization(asset, partition=key, metadata=without_text(outcome.payloads.get(stage, {})))
            for key, outcome in zip(keys, outcomes, strict=True)
        ]
        log_as_one_batch(context, materializations, most=BATCH_SIZE)
