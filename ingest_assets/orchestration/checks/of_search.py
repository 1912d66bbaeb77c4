"""How well searches find what is stored."""

import dagster as dg

from ingest_assets.orchestration.claims import shown_as_failure
from ingest_assets.orchestration.vector_index import vector_index
from ingest_assets.pipeline.ports.indexing import VectorSamples
from ingest_assets.pipeline.ports.searching import SearchIndex
from ingest_assets.pipeline.recall import recall_of

LOWEST_RECALL = 0.95


@dg.asset_check(
    asset=vector_index.key,
    description="Searches find at least 95 % of the nearest chunks. A sample is compared with exact search.",
)
def nearest_chunks_are_found(
    search_index: dg.ResourceParam[SearchIndex], vector_samples: dg.ResourceParam[VectorSamples]
) -> dg.AssetCheckResult:
    with shown_as_failure():
        measured = {
            model: recall_of(model, index=search_index, samples=vector_samples) for model in vector_samples.models()
        }
        for model, recall in measured.items():
            vector_samples.record(model, recall)
    return dg.AssetCheckResult(
        passed=all(recall.share >= LOWEST_RECALL for recall in measured.values()),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "queries": sum(recall.queries for recall in measured.values()),
            "recall_at_10": min((recall.share for recall in measured.values()), default=1.0),
            **{f"recall_at_10 of {model.name} {model.version}": each.share for model, each in measured.items()},
        },
    )


measure_recall = dg.define_asset_job(
    "measure_recall",
    selection=dg.AssetSelection.checks(nearest_chunks_are_found),
    description="Measures the share of the nearest chunks that searches find.",
)
