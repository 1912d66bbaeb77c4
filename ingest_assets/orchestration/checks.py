"""What must hold before the next asset may run, and how well searches find what is stored."""

import dagster as dg

from ingest_assets.domain.errors import IngestError, PermanentError, TransientError
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.orchestration.assets import chunks, embeddings
from ingest_assets.orchestration.claims import held_job, shown_as_failure
from ingest_assets.orchestration.partitions import document_id_of
from ingest_assets.orchestration.resources import Pipeline
from ingest_assets.orchestration.vector_index import vector_index
from ingest_assets.pipeline.failure import settle_failure
from ingest_assets.pipeline.recall import recall_of


@dg.asset_check(
    asset=chunks,
    blocking=True,
    description="There is at least one chunk, numbered without gaps, and none is longer than the limit.",
)
def chunks_are_complete(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.AssetCheckResult:
    services = pipeline.services
    stored = services.chunk_buffer.load(document_id_of(context.partition_key))
    longest = max((len(chunk.text) for chunk in stored), default=0)
    complete = [chunk.ordinal for chunk in stored] == list(range(len(stored)))
    passed = bool(stored) and complete and longest <= services.chunking.max_characters
    metadata = {"chunks": len(stored), "longest_chunk": longest}
    return _result(context, pipeline, passed, metadata, PermanentError("chunks_missing"))


@dg.asset_check(
    asset=embeddings,
    blocking=True,
    description="Every chunk has a stored vector of the present model.",
)
def every_chunk_has_a_vector(
    context: dg.AssetCheckExecutionContext, pipeline: dg.ResourceParam[Pipeline]
) -> dg.AssetCheckResult:
    services, document_id = pipeline.services, document_id_of(context.partition_key)
    wanted = {chunk.chunk_sha for chunk in services.chunk_buffer.load(document_id)}
    present = services.vector_buffer.present(document_id, services.embedder.model) & wanted
    metadata = {"texts": len(wanted), "vectors": len(present)}
    missing = TransientError("vectors_invalid", found=len(present), expected=len(wanted))
    return _result(context, pipeline, present == wanted, metadata, missing)


LOWEST_RECALL = 0.95


@dg.asset_check(
    asset=vector_index.key,
    description="Searches find at least 95 of 100 of the nearest chunks: a sample against comparing all vectors.",
)
def nearest_chunks_are_found(pipeline: dg.ResourceParam[Pipeline]) -> dg.AssetCheckResult:
    with shown_as_failure():
        index, samples = pipeline.services.search_index, pipeline.services.vector_samples
        measured = {model: recall_of(model, index=index, samples=samples) for model in samples.models()}
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
    pipeline: Pipeline,
    passed: bool,  # noqa: FBT001
    metadata: dict[str, int],
    error: IngestError,
) -> dg.AssetCheckResult:
    if not passed:
        with held_job(context.run, context.partition_key, pipeline.services, Stage.EMBEDDING) as job:
            settle_failure(job, error, pipeline.services, reported=True)
    return dg.AssetCheckResult(passed=passed, metadata=metadata)


CHECKS = [chunks_are_complete, every_chunk_has_a_vector, nearest_chunks_are_found]

measure_recall = dg.define_asset_job(
    "measure_recall",
    selection=dg.AssetSelection.checks(nearest_chunks_are_found),
    description="Measures what share of the nearest chunks searches find.",
)
