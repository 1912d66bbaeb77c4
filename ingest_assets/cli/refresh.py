from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import out
from ingest_assets.cli.output import deployed, print_json


def refresh(as_json: Json = False) -> None:
    """Queue finished documents again that another parser, chunker or model has made than those now in use."""
    with deployed(as_json=as_json) as deployment:
        services = deployment.services
        queued = services.jobs.refresh(
            services.parser.producer_of, services.chunking.chunker, services.embedder.model, "ingest refresh"
        )
        if as_json:
            print_json([{"document_id": str(document_id), "status": "queued"} for document_id in queued])
        else:
            out.print(f"{len(queued)} queued again.")
