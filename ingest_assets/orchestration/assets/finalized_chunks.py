import dagster as dg

from ingest_assets.domain.documents.document import Chunk
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.orchestration.claims import held_job
from ingest_assets.orchestration.partitions import documents
from ingest_assets.orchestration.resources import Pipeline
from ingest_assets.pipeline.commit import Version, complete_version
from ingest_assets.pipeline.embed import StoredVectors


@dg.asset(
    partitions_def=documents,
    io_manager_key="document_chunks",
    kinds={"postgres", "pgvector"},
    group_name="ingest",
    owners=["team:data-platform"],
)
def finalized_chunks(
    context: dg.AssetExecutionContext,
    chunks: list[Chunk],
    embeddings: StoredVectors,
    pipeline: dg.ResourceParam[Pipeline],
) -> Version:
    """The version of the document that searches find; the one before it stays until this one is complete."""
    with held_job(context.run, context.partition_key, pipeline.services, Stage.EMBEDDED):
        return complete_version(chunks, embeddings)
