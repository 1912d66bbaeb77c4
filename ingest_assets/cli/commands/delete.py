from typing import Annotated

from ingest_assets.cli.arguments import DOCUMENTS, Json, Viewer, actor_of, seen_documents, viewer_of
from ingest_assets.cli.commands.up import prepare
from ingest_assets.cli.console import out
from ingest_assets.cli.named_documents import documents_of
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.documents.document import DocumentId


def delete(
    documents: Annotated[list[str], DOCUMENTS],
    user: Viewer = None,
    as_json: Json = False,
) -> None:
    """Delete documents and everything made of them. Their history stays, without content."""
    with deployed(as_json=as_json) as deployment:
        from ingest_assets.orchestration.instance import unlist_documents

        prepare(deployment)
        wanted, owner = documents_of(documents, seen_documents(user, deployment)), viewer_of(user, deployment.settings)
        for document_id in wanted:  # nothing is deleted if one of them is misspelt
            deployment.deletion.owner_of(document_id, owner)
        actor = actor_of("delete")
        deleted: list[DocumentId] = []
        try:
            for document_id in wanted:
                deployment.deletion.delete(document_id, actor, owner=owner)
                deleted.append(document_id)
        finally:
            unlist_documents(deleted)
        if as_json:
            print_json([{"document_id": str(document_id), "status": "deleted"} for document_id in wanted])
        else:
            out.print(f"Deleted {len(wanted)} documents." if len(wanted) != 1 else "Deleted 1 document.")
