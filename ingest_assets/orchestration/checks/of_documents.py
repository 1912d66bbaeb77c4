"""What must hold of a document before the next asset may run."""

import dagster as dg

from ingest_assets.domain.errors import IngestError, PermanentError, TransientError
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.domain.text.chunking import ChunkingSettings
from ingest_assets.orchestration.assets.chunks import chunks
from ingest_assets.orchestration.assets.embeddings import embeddings
from ingest_assets.orchestration.claims import claim_of, shown_as_failure
from ingest_assets.orchestration.partitions import document_id_of
from ingest_assets.pipeline.partition_steps import PartitionSteps
from ingest_assets.pipeline.ports.processing import ChunkBuffer, VectorBuffer
from ingest_assets.pipeline.ports.providers import Embedder


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
