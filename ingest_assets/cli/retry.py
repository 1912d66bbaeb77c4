from typing import Annotated

import typer

from ingest_assets.cli.arguments import Json, actor_of, documents_of
from ingest_assets.cli.console import out
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.errors import PermanentError


def retry(
    documents: Annotated[list[str] | None, typer.Argument(metavar="DOCUMENT", help="Documents' ids.")] = None,
    dead_letters: Annotated[bool, typer.Option("--dead-letters", help="Every dead letter.")] = False,
    as_json: Json = False,
) -> None:
    """Queue failed documents again, from the stage at which they failed."""
    with deployed(as_json=as_json) as deployment:
        if bool(documents) == dead_letters:
            raise PermanentError("wrong_usage", what="Name documents, or give --dead-letters.")
        wanted = None if dead_letters else documents_of(documents or [])
        for document_id in wanted or []:
            if deployment.services.documents.find(document_id) is None:
                raise PermanentError("unknown_document")
        replayed = deployment.services.jobs.replay(wanted, actor_of("retry"))
        if wanted and not replayed:
            raise PermanentError("not_failed")
        if as_json:
            print_json([{"document_id": str(document_id), "status": "queued"} for document_id in replayed])
        else:
            out.print(f"{len(replayed)} queued again.")
