import dagster as dg

from ingest_assets.orchestration.assets.step_asset import Steps, document_asset, run_step
from ingest_assets.orchestration.assets.tables import table
from ingest_assets.pipeline.steps.chunk import Chunks
from ingest_assets.pipeline.steps.embed import Embeddings


@document_asset("python", "postgres", metadata=table("document_vector_buffer", {"chunk_sha": ("chunks", "chunk_sha")}))
def embeddings(context: dg.AssetExecutionContext, chunks: Chunks, partition_steps: Steps) -> Embeddings:
    """Embed every chunk. The IO manager asks for the vectors batch by batch and stores each batch as it arrives."""
    begun: Embeddings = run_step(context, partition_steps, chunks)
    return begun
