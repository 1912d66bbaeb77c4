import dagster as dg

from ingest_assets.domain.documents.document import ParsedDocument
from ingest_assets.orchestration.assets.step_asset import Steps, document_asset, run_step


@document_asset("python", "markdown")
def parsed_markdown(context: dg.AssetExecutionContext, partition_steps: Steps) -> ParsedDocument:
    """Turn the document into Markdown, with the places where its pages begin."""
    parsed: ParsedDocument = run_step(context, partition_steps)
    return parsed
