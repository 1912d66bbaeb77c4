from typing import Annotated, Any

import typer

from ingest_assets.cli.arguments import Json, Viewer, documents_of, seen_documents
from ingest_assets.cli.console import out, print_table
from ingest_assets.cli.explanation import Explanation, explain_document
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.queue.jobs import Event


def explain(
    document: Annotated[str, typer.Argument(metavar="DOCUMENT", help="The document's id.")],
    user: Viewer = None,
    as_json: Json = False,
) -> None:
    """Say why a document is or is not searchable, what happened to it, and which command would fix it."""
    with deployed(as_json=as_json) as deployment:
        [document_id] = documents_of([document])
        explanation = explain_document(document_id, documents=seen_documents(user, deployment))
        if as_json:
            print_json(_describe(document_id, explanation))
        else:
            _print(explanation)


def _describe(document_id: DocumentId, explanation: Explanation) -> dict[str, Any]:
    status = explanation.status
    searchable = status is not None and status.searchable
    described: dict[str, Any] = {"document_id": str(document_id), "searchable": searchable}
    if explanation.cause is not None:
        described["cause"] = explanation.cause
    if status is None or status.error_code is not None:
        described["code"] = "deleted" if status is None else status.error_code
    if explanation.fix is not None:
        described["fix"] = explanation.fix
    return described | {"history": [_line(event) for event in explanation.history]}


def _line(event: Event) -> dict[str, Any]:
    return {
        "at": event.occurred_at.isoformat(),
        "version": event.version,
        "stage": event.stage.value,
        "state": event.state.value,
        "actor": event.actor,
        "code": event.code,
        "payload": event.payload,
    }


def _print(explanation: Explanation) -> None:
    status = explanation.status
    verdict = "Searchable." if status is not None and status.searchable else "Not searchable."
    out.print(" ".join(filter(None, (verdict, explanation.cause))))
    if explanation.fix is not None:
        first = "replace the file and run" if explanation.fix.startswith("ingest submit") else "run"
        out.print(f"To fix it, {first}: {explanation.fix}")
    rows = [
        (
            f"{event.occurred_at:%Y-%m-%d %H:%M:%S}",
            event.version,
            f"{event.stage}/{event.state}",
            event.code,
            event.actor,
        )
        for event in explanation.history
    ]
    print_table(("time (UTC)", "version", "stage/state", "code", "by"), rows)
