import dagster as dg

from ingest_assets.domain.documents.document import Chunk, ParsedDocument
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.orchestration.claims import held_job
from ingest_assets.orchestration.partitions import documents
from ingest_assets.orchestration.resources import Pipeline
from ingest_assets.pipeline.chunk import chunk_parse


@dg.asset(
    partitions_def=documents,
    io_manager_key="chunk_buffer",
    kinds={"python", "postgres"},
    group_name="ingest",
    owners=["team:data-platform"],
)
def chunks(
    context: dg.AssetExecutionContext, parsed_markdown: ParsedDocument, pipeline: dg.ResourceParam[Pipeline]
) -> list[Chunk]:
    """The document's text in overlapping pieces, each with its heading path and page."""
    services = pipeline.services
    with held_job(context.run, context.partition_key, services, Stage.CHUNKING) as job:
        return chunk_parse(job, parsed_markdown, services.chunking, jobs=services.jobs)
