import dagster as dg

from ingest_assets.domain.queue.changes import Version
from ingest_assets.orchestration.assets.step_asset import Steps, document_asset, run_step
from ingest_assets.orchestration.assets.tables import table
from ingest_assets.pipeline.steps.chunk import Chunks
from ingest_assets.pipeline.steps.embed import Embeddings


@document_asset(
    "postgres",
    "pgvector",
    metadata=table(
        "document_chunks",
        {
            "chunk_ord": ("chunks", "chunk_ord"),
            "text": ("chunks", "text"),
            "embedding": ("embeddings", "embedding"),
        },
    ),
)
def finalized_chunks(
    context: dg.AssetExecutionContext, chunks: Chunks, embeddings: Embeddings, partition_steps: Steps
) -> Version:
    """Make this version of the document the one that searches find. The one before stays until this one is complete."""
    complete: Version = run_step(context, partition_steps, chunks, embeddings)
    return complete
