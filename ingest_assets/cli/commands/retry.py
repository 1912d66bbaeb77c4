from typing import Annotated

import typer

from ingest_assets.cli.arguments import DOCUMENTS, Json, Viewer, actor_of, check_code, seen_documents
from ingest_assets.cli.console import out
from ingest_assets.cli.named_documents import in_batches, known_documents_of
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.ports.reading import Documents


def retry(
    documents: Annotated[list[str] | None, DOCUMENTS] = None,
    dead_letters: Annotated[bool, typer.Option("--dead-letters", help="Retry every dead letter.")] = False,
    code: Annotated[
        str | None,
        typer.Option("--code", metavar="CODE", help="Retry what failed with this code, waiting documents too."),
    ] = None,
    user: Viewer = None,
    as_json: Json = False,
) -> None:
    """Queue failed documents again. Each resumes at the stage at which it failed."""
    with deployed(as_json=as_json) as deployment:
        in_bulk = dead_letters or code is not None
        if bool(documents) == in_bulk:
            raise PermanentError("wrong_usage", what="Name documents, or give --code or --dead-letters.")
        seen = seen_documents(user, deployment)
        if in_bulk:
            wanted = _failed(seen, code, only_dead_letters=dead_letters)
        else:
            wanted = known_documents_of(documents or [], seen)
        actor = actor_of("retry")  # all of it is one occasion in the history
        replayed = in_batches(wanted, lambda some: deployment.operations.replay(some, actor))
        if documents and not replayed:
            raise PermanentError("not_failed")
        if as_json:
            print_json([{"document_id": str(document_id), "status": "queued"} for document_id in replayed])
        else:
            out.print(f"Queued again: {len(replayed)}.")


def _failed(seen: Documents, code: str | None, *, only_dead_letters: bool) -> list[DocumentId]:
    """Return what failed, with this code if one is given.

    Raises:
        PermanentError: wrong_usage, if there is no such code.
    """
    found = seen.failed(code)
    if not found:
        check_code(code)
    return [each.document_id for each in found if each.state is State.DEADLETTER or not only_dead_letters]
