"""Asset checks: what must hold before the next asset may run, and how well searches find what is stored."""

import dagster as dg

from ingest_assets.domain.errors import IngestError, PermanentError, TransientError
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.domain.text.chunking import ChunkingSettings
from ingest_assets.orchestration.assets.chunks import chunks
from ingest_assets.orchestration.assets.embeddings import embeddings
from ingest_assets.orchestration.claims import claim_of, shown_as_failure
from ingest_assets.orchestration.partitions import document_id_of
from ingest_assets.orchestration.vector_index import vector_index
from ingest_assets.pipeline.partition_steps import PartitionSteps
from ingest_assets.pipeline.ports.indexing import VectorSamples
from ingest_assets.pipeline.ports.processing import ChunkBuffer, VectorBuffer
from ingest_assets.pipeline.ports.providers import Embedder
from ingest_assets.pipeline.ports.searching import SearchIndex
from ingest_assets.pipeline.recall import recall_of


@dg.asset_check(
    asset=chunks,
    blocking=True,
    description="There is at least one chunk, the numbers have no gaps, and no chunk is longer than the limit.",
)
def chunks_are_complete(
    context: dg.AssetCheckExecutionContext,
    partition_steps: dg.ResourceParam[PartitionSteps],
    chunk_buffer: dg.ResourceParam[ChunkBuffer],
    chunking: dg.ResourceParam[ChunkingSettings],
) -> dg.AssetCheckResult:
    stored = chunk_buffer.load(document_id_of(context.partition_key))
    longest = max((len(chunk.text) for chunk in stored), default=0)
    complete = [chunk.ordinal for chunk in stored] == list(range(len(stored)))
    passed = bool(stored) and complete and longest <= chunking.max_characters
    metadata = {"chunks": len(stored), "longest_chunk": longest}
    return _result(context, partition_steps, PermanentError("chunks_missing"), passed=passed, metadata=metadata)


@dg.asset_check(
    asset=embeddings,
    blocking=True,
    description="Every chunk has a stored vector from the current model.",
)
def every_chunk_has_a_vector(
    context: dg.AssetCheckExecutionContext,
    partition_steps: dg.ResourceParam[PartitionSteps],
    chunk_buffer: dg.ResourceParam[ChunkBuffer],
    vector_buffer: dg.ResourceParam[VectorBuffer],
    embedder: dg.ResourceParam[Embedder],
) -> dg.AssetCheckResult:
    document_id = document_id_of(context.partition_key)
    wanted = {chunk.chunk_sha for chunk in chunk_buffer.load(document_id)}
    present = vector_buffer.present(document_id, embedder.model) & wanted
    metadata = {"texts": len(wanted), "vectors": len(present)}
    missing = TransientError("vectors_invalid", found=len(present), expected=len(wanted))
    return _result(context, partition_steps, missing, passed=present == wanted, metadata=metadata)


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


def _result(
    context: dg.AssetCheckExecutionContext,
    steps: PartitionSteps,
    error: IngestError,
    *,
    passed: bool,
    metadata: dict[str, int],
) -> dg.AssetCheckResult:
    if not passed:
        with shown_as_failure():
            document_id = document_id_of(context.partition_key)
            claim = claim_of(context.run, context.instance, steps, document_id)
            steps.fail(document_id, claim, Stage.EMBEDDING, error)
    return dg.AssetCheckResult(passed=passed, metadata=metadata)


CHECKS = [chunks_are_complete, every_chunk_has_a_vector, nearest_chunks_are_found]

measure_recall = dg.define_asset_job(
    "measure_recall",
    selection=dg.AssetSelection.checks(nearest_chunks_are_found),
    description="Measures the share of the nearest chunks that searches find.",
)
