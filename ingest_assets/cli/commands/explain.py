from typing import Annotated, Any

import typer

from ingest_assets.cli.arguments import Json, OneDocument, Viewer, seen_documents
from ingest_assets.cli.console import out, print_command, print_table
from ingest_assets.cli.explanation import Explanation, explain_document
from ingest_assets.cli.named_documents import document_of
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.documents.attachments import ListedAttachment
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.documents.warnings import lines_of, phrases
from ingest_assets.domain.errors.remedies import Remedy, remedy_of
from ingest_assets.domain.queue.jobs import Event
from ingest_assets.domain.queue.stages import State

SHOWN = 20
"""How many of the last events people are shown."""


def explain(
    document: OneDocument,
    everything: Annotated[bool, typer.Option("--all", help="Show the whole history.")] = False,
    user: Viewer = None,
    as_json: Json = False,
) -> None:
    """Say why a document is or is not searchable, what happened to it, and which command would fix it."""
    with deployed(as_json=as_json) as deployment:
        seen = seen_documents(user, deployment)
        document_id = document_of(document, seen)
        settings = deployment.settings
        explanation = explain_document(
            document_id, documents=seen, own_user=settings.default_user, has_lanes=settings.lanes
        )
        if as_json:
            print_json(_describe(document_id, explanation))
        else:
            _print(document_id, explanation, None if everything else SHOWN)


def _describe(document_id: DocumentId, explanation: Explanation) -> dict[str, Any]:
    status = explanation.status
    searchable = status is not None and status.searchable
    described: dict[str, Any] = {"document_id": str(document_id), "filename": explanation.filename}
    described["searchable"] = searchable
    described["warnings"] = [] if status is None else lines_of(status.warnings)
    described["attachments"] = [_attachment(each) for each in explanation.attachments]
    if explanation.cause is not None:
        described["cause"] = explanation.cause
    if status is None or status.error_code is not None:
        described["code"] = "deleted" if status is None else status.error_code
    if explanation.waiting_helps is not None:
        described["waiting_helps"] = explanation.waiting_helps
    if explanation.fix is not None:
        described["fix"] = explanation.fix
    return described | {"history": [_line(event) for event in explanation.history]}


def _attachment(attachment: ListedAttachment) -> dict[str, Any]:
    """Return what became of an attachment; one that was skipped has no document."""
    described: dict[str, Any] = {"path": attachment.path, "searchable": attachment.searchable}
    if attachment.document_id is not None:
        described |= {"document_id": str(attachment.document_id), "state": attachment.state}
    return described if attachment.code is None else described | {"code": attachment.code}


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


def _purpose(explanation: Explanation) -> str:
    """Return what the command is for, or when to run it."""
    if explanation.waiting_helps:
        return "To have it done now, run"
    if explanation.status is not None and explanation.status.state is State.RETRYABLE:
        return "When the cause is mended, to have it done at once, run"
    if explanation.fix is not None and explanation.fix.startswith("ingest delete"):
        return "To remove it, run"
    code = None if explanation.status is None else explanation.status.error_code
    return "When the file is changed, run" if remedy_of(code) is Remedy.CORRECT else "To fix it, run"


def _print(document_id: DocumentId, explanation: Explanation, shown: int | None) -> None:
    """Print the history and then, where people look, the answer."""
    left_out = 0 if shown is None else max(0, len(explanation.history) - shown)
    if left_out:
        out.print(f"{left_out} earlier events; to see all of them, give --all.")
    print_table(("time (UTC)", "version", "stage/state", "code", "by"), map(_row, explanation.history[left_out:]))
    if explanation.attachments:
        found = [(each.path, each.document_id, each.state or "skipped", each.code) for each in explanation.attachments]
        print_table(("attachment", "document_id", "state", "code"), found)
    _print_answer(document_id, explanation)


def _row(event: Event) -> tuple[object, ...]:
    at = f"{event.occurred_at:%Y-%m-%d %H:%M:%S}"
    return at, event.version, f"{event.stage}/{event.state}", event.code, event.actor


def _verdict(explanation: Explanation) -> str:
    if explanation.cause is None:
        return "Searchable."
    older = explanation.status is not None and explanation.status.searchable
    return "The newest version is not searchable." if older else "Not searchable."


def _print_answer(document_id: DocumentId, explanation: Explanation) -> None:
    status = explanation.status
    out.print(f"{document_id}  {explanation.filename or ''}".rstrip())
    out.print(" ".join(filter(None, (_verdict(explanation), explanation.cause))))
    for phrase in () if status is None else phrases(status.warnings):
        out.print(f"Incomplete: {phrase}.")
    if explanation.fix is not None:
        print_command(_purpose(explanation), explanation.fix)
