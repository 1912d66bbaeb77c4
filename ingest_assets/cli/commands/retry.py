from typing import Annotated

import typer

from ingest_assets.cli.arguments import Json, Viewer, actor_of, documents_of, seen_documents
from ingest_assets.cli.console import out
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.ports.reading import Documents


def retry(
    documents: Annotated[list[str] | None, typer.Argument(metavar="DOCUMENT", help="The documents' ids.")] = None,
    dead_letters: Annotated[bool, typer.Option("--dead-letters", help="Retry every dead letter.")] = False,
    user: Viewer = None,
    as_json: Json = False,
) -> None:
    """Queue failed documents again. Each resumes at the stage at which it failed."""
    with deployed(as_json=as_json) as deployment:
        if bool(documents) == dead_letters:
            raise PermanentError("wrong_usage", what="Name documents, or give --dead-letters.")
        seen = seen_documents(user, deployment)
        wanted = _dead_letters(seen) if dead_letters else _known(documents_of(documents or []), seen)
        replayed = deployment.operations.replay(wanted, actor_of("retry"))
        if documents and not replayed:
            raise PermanentError("not_failed")
        if as_json:
            print_json([{"document_id": str(document_id), "status": "queued"} for document_id in replayed])
        else:
            out.print(f"Queued again: {len(replayed)}.")


def _dead_letters(seen: Documents) -> list[DocumentId]:
    return [failed.document_id for failed in seen.failed() if failed.state is State.DEADLETTER]


def _known(wanted: list[DocumentId], seen: Documents) -> list[DocumentId]:
    if any(seen.find(document_id) is None for document_id in wanted):
        raise PermanentError("unknown_document")
    return wanted
