import dagster as dg

from ingest_assets.domain.documents.document import ParsedDocument
from ingest_assets.orchestration.assets.step_asset import Steps, document_asset, run_step
from ingest_assets.orchestration.assets.tables import table
from ingest_assets.pipeline.steps.chunk import Chunks


@document_asset("python", "postgres", metadata=table("document_chunk_buffer"))
def chunks(context: dg.AssetExecutionContext, parsed_markdown: ParsedDocument, partition_steps: Steps) -> Chunks:
    """Cut the document's text into overlapping chunks, each with its heading path and page."""
    cut: Chunks = run_step(context, partition_steps, parsed_markdown)
    return cut
