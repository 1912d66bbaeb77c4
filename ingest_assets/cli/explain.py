from typing import Annotated, Any

import typer

from ingest_assets.cli.arguments import Json, documents_of
from ingest_assets.cli.output import deployed, out, print_json, print_table
from ingest_assets.domain.jobs import Event
from ingest_assets.pipeline.explain import Explanation
from ingest_assets.pipeline.explain import explain as explain_document


def explain(document: Annotated[str, typer.Argument(help="The document's id.")], as_json: Json = False) -> None:
    """Say why a document is or is not searchable, what happened to it, and the command that would fix it."""
    with deployed(as_json=as_json) as deployment:
        explanation = explain_document(documents_of([document])[0], documents=deployment.services.documents)
        if as_json:
            print_json(_describe(explanation))
        else:
            _print(explanation)


def _describe(explanation: Explanation) -> dict[str, Any]:
    status = explanation.status
    described: dict[str, Any] = {"document_id": str(status.document_id), "searchable": status.searchable}
    if explanation.cause is not None:
        described["cause"] = explanation.cause
    if status.error_code is not None:
        described["code"] = status.error_code
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
    out.print("Searchable." if status.searchable else "Not searchable.", explanation.cause or "")
    if explanation.fix is not None:
        out.print(f"To fix it: {explanation.fix}", markup=False)
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
