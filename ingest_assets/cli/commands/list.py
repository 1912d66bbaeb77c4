from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from ingest_assets.cli.arguments import Json, Viewer, check_code, seen_documents
from ingest_assets.cli.console import messages, print_table
from ingest_assets.cli.named_documents import document_of
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.documents.listing import ListedDocument, Listing
from ingest_assets.domain.documents.warnings import lines_of, phrases
from ingest_assets.domain.queue.stages import State


def list(  # noqa: A001  the verb that every other command line has, too
    state: Annotated[State | None, typer.Option("--state", help="Only documents in this state.")] = None,
    code: Annotated[str | None, typer.Option("--code", help="Only documents that failed with this code.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="Only documents whose file name contains this.")] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", help="Only documents that came or changed since then (UTC).")
    ] = None,
    warnings: Annotated[
        bool, typer.Option("--warnings", help="Only documents of which something could not be read.")
    ] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000, help="The most documents to show.")] = 100,
    after: Annotated[
        str | None, typer.Option("--after", metavar="DOCUMENT", help="Go on behind this document.")
    ] = None,
    user: Viewer = None,
    as_json: Json = False,
) -> None:
    """List documents, newest first, with where they stand and what of them could not be read."""
    with deployed(as_json=as_json) as deployment:
        check_code(code)
        seen = seen_documents(user, deployment)
        listing = Listing(
            state=state,
            code=code,
            name=name,
            since=None if since is None else since.replace(tzinfo=since.tzinfo or UTC),
            with_warnings=warnings,
            limit=limit,
            after=None if after is None else document_of(after, seen),
        )
        found = seen.listed(listing)
        if as_json:
            print_json([_describe(document) for document in found])
            return
        print_table(("document_id", "filename", "stage/state", "code", "incomplete"), [_row(each) for each in found])
        if len(found) == limit:
            messages.print(f"There may be more: ingest list --after {found[-1].document_id}")


def _describe(document: ListedDocument) -> dict[str, Any]:
    described = {
        "document_id": str(document.document_id),
        "filename": document.filename,
        "stage": document.stage.value,
        "state": document.state.value,
        "searchable": document.searchable,
        "warnings": lines_of(document.warnings),
    }
    return described if document.code is None else described | {"code": document.code}


def _row(document: ListedDocument) -> tuple[object, ...]:
    return (
        document.document_id,
        document.filename,
        f"{document.stage}/{document.state}",
        document.code,
        "; ".join(phrases(document.warnings)),
    )
