from typing import Annotated

import typer

from ingest_assets.cli.arguments import DOCUMENTS, Json, Viewer, actor_of, seen_documents
from ingest_assets.cli.confirmation import Yes, confirm
from ingest_assets.cli.console import out
from ingest_assets.cli.named_documents import every_listed, in_batches, known_documents_of
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.documents.listing import Listing
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.stages import State

WAITING = (State.QUEUED, State.RETRYABLE)


def cancel(
    documents: Annotated[list[str] | None, DOCUMENTS] = None,
    queued: Annotated[bool, typer.Option("--queued", help="Cancel everything that waits in the queue.")] = False,
    user: Viewer = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Take documents out of the queue again, also while they are worked on; an older version stays searchable.

    They become dead letters with the code `cancelled`, which `ingest retry` brings back.
    """
    with deployed(as_json=as_json) as deployment:
        if bool(documents) == queued:
            raise PermanentError("wrong_usage", what="Name documents, or give --queued.")
        seen = seen_documents(user, deployment)
        if queued:
            wanted = [each for state in WAITING for each in every_listed(Listing(state=state), seen)]
        else:
            wanted = known_documents_of(documents or [], seen)
        if len(wanted) > 1:
            confirm(f"Cancel {len(wanted)} documents?", yes=yes)
        actor, reason = actor_of("cancel"), PermanentError("cancelled")
        cancelled = in_batches(wanted, lambda some: deployment.operations.cancel(some, actor, reason))
        if documents and not cancelled:
            raise PermanentError("not_queued")
        if as_json:
            print_json([{"document_id": str(document_id), "status": "cancelled"} for document_id in cancelled])
        else:
            back = " To bring them back: ingest retry --code cancelled" if cancelled else " Nothing waits."
            out.print(f"Cancelled: {len(cancelled)}.{back}")
