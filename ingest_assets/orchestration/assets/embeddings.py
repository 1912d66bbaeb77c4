import dagster as dg

from ingest_assets.domain.documents.document import Chunk
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.orchestration.claims import held_job
from ingest_assets.orchestration.partitions import documents
from ingest_assets.orchestration.resources import Pipeline
from ingest_assets.pipeline.embed import Embedding, embed_chunks


@dg.asset(
    partitions_def=documents,
    io_manager_key="vector_buffer",
    kinds={"python", "postgres"},
    group_name="ingest",
    owners=["team:data-platform"],
)
def embeddings(
    context: dg.AssetExecutionContext, chunks: list[Chunk], pipeline: dg.ResourceParam[Pipeline]
) -> Embedding:
    """A vector for every chunk; the IO manager draws the batches and commits each as it comes."""
    services = pipeline.services
    with held_job(context.run, context.partition_key, services, Stage.EMBEDDING) as job:
        return embed_chunks(
            job, chunks, jobs=services.jobs, vector_buffer=services.vector_buffer, embedder=services.embedder
        )
