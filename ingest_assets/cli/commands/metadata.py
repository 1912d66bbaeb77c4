from typing import Annotated

import typer

from ingest_assets.cli.arguments import Json, OneDocument, Viewer, seen_documents
from ingest_assets.cli.console import print_table
from ingest_assets.cli.named_documents import document_of
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.documents.metadata import check_changes, parse_assignments
from ingest_assets.domain.errors import PermanentError


def metadata(
    document: OneDocument,
    user: Viewer = None,
    changed: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Set a value; may be given often.")
    ] = None,
    removed: Annotated[
        list[str] | None, typer.Option("--remove", metavar="KEY", help="Remove a key; may be given often.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show what is known about a document, and change it first if that is asked for. Nothing is embedded again."""
    with deployed(as_json=as_json) as deployment:
        changes = check_changes(dict.fromkeys(removed or ()) | parse_assignments(changed or ()))
        seen = seen_documents(user, deployment)
        document_id = document_of(document, seen)
        found = seen.find(document_id)
        if found is None:
            raise PermanentError("unknown_document")
        if changes:
            deployment.intake.records.describe(found.user_id, {document_id: changes})
        known = seen.metadata(document_id) or {}
        if as_json:
            print_json(known)
        else:
            print_table(("key", "value"), sorted(known.items()))
