import dagster as dg

from ingest_assets.domain.documents.document import ParsedDocument
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.orchestration.claims import held_job
from ingest_assets.orchestration.partitions import documents
from ingest_assets.orchestration.resources import Pipeline
from ingest_assets.pipeline.parse import parse_document


@dg.asset(
    partitions_def=documents,
    io_manager_key="parsed_text",
    kinds={"python", "markdown"},
    group_name="ingest",
    owners=["team:data-platform"],
)
def parsed_markdown(context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]) -> ParsedDocument:
    """The document's text as Markdown, with the places where its pages begin."""
    services = pipeline.services
    with held_job(context.run, context.partition_key, services, Stage.JOB_VALIDATED) as job:
        return parse_document(
            job,
            jobs=services.jobs,
            documents=services.documents,
            objects=services.objects,
            parser=services.parser,
        )
