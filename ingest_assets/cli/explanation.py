"""Why a document is or is not searchable, in sentences, and the command that changes it."""

import shlex
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from ingest_assets.cli.hints import filled_in, hint_of
from ingest_assets.domain.documents.attachments import ListedAttachment
from ingest_assets.domain.documents.document import Document, DocumentId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.errors.remedies import (
    Remedy,
    advice_for,
    command_for_document,
    needs_a_file,
    next_try,
    remedy_of,
    waiting_helps,
)
from ingest_assets.domain.queue.jobs import Event, JobStatus
from ingest_assets.domain.queue.lanes import RECOGNITION
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.ports.reading import Documents

WAITING = "It is waiting in the queue for a worker."
FOR_ITS_LANE = "It waits for a worker of the lane {}; which lanes have workers: `ingest doctor`."
WORKING = "A worker is busy with it."
SILENT = "Its worker has stopped answering. Waiting helps: the document returns to the queue by itself."
SEND_AGAIN = (
    "Waiting does not help, and it did not come from a file here. Send its content from the same source again{}."
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """What `ingest explain` says about a document."""

    status: JobStatus | None
    """None if the document was deleted."""
    filename: str | None
    cause: str | None
    """None if the newest version is searchable."""
    waiting_helps: bool | None
    """None if the newest version is searchable, or if the document was deleted."""
    fix: str | None
    """A command line, or None if there is nothing to fix or no command can."""
    history: list[Event]
    attachments: list[ListedAttachment] = field(default_factory=list)


def explain_document(
    document_id: DocumentId,
    *,
    documents: Documents,
    own_user: UUID | None = None,
    has_lanes: bool = False,
    now: datetime | None = None,
) -> Explanation:
    """Return what there is to say about a document.

    Args:
        document_id: The document.
        documents: The documents that the reader may see.
        own_user: The user of commands without --user. For another user's document, the command names its owner.
        has_lanes: Whether each worker takes only documents of some lanes.
        now: The current time, by default this machine's.

    Raises:
        PermanentError: unknown_document.
    """
    status, history = documents.status(document_id), documents.history(document_id)
    if status is None and not history:
        raise PermanentError("unknown_document")
    if status is None:
        return Explanation(None, None, "It was deleted.", None, None, history)
    document = documents.find(document_id)
    filename = None if document is None else document.filename
    if status.state is State.DONE:
        return Explanation(status, filename, None, None, None, history, documents.attachments(document_id))
    files = files_among(documents.sources(document_id))
    cause = _cause(status, bool(files), now or datetime.now(UTC))
    older = " An older version is still searchable." if status.searchable else ""
    fix = None if cause == WORKING else _fix(status, files, _owner_option(document, own_user))
    if has_lanes and status.state in (State.QUEUED, State.RETRYABLE):
        cause, fix = _in_its_lane(status, cause, fix)
    attachments = documents.attachments(document_id)
    helps = status.state is not State.DEADLETTER and (
        status.state is not State.RETRYABLE or waiting_helps(status.error_code)
    )
    return Explanation(status, filename, cause + older, helps, fix, history, attachments)


def _in_its_lane(status: JobStatus, cause: str, fix: str | None) -> tuple[str, str | None]:
    """Return the cause and the command for what only some workers take. To retry a scan changes nothing about that."""
    if status.error_code == RECOGNITION:
        cause, fix = status.error_message or "", "ingest drain"
    told = "" if cause == WAITING else f"{cause} "
    return told + FOR_ITS_LANE.format(status.lane), fix


def files_among(sources: list[str]) -> list[str]:
    """Return the sources that are paths; the others are what callers over HTTP have named."""
    return [source for source in sources if source.startswith("/")]


def _cause(status: JobStatus, has_file: bool, now: datetime) -> str:
    match status.state:
        case State.QUEUED | State.DONE:
            return WAITING
        case State.WORKING:
            expired = status.lease_expires_at is not None and status.lease_expires_at < now
            return SILENT if expired else WORKING
        case State.RETRYABLE:
            return _sentences(status, next_try(status.error_code, status.next_retry_at, now), _hint(status))
        case State.DEADLETTER:
            return _sentences(status, _hint(status), _advice(status, has_file=has_file))


def _sentences(status: JobStatus, *others: str) -> str:
    return " ".join(filter(None, (status.error_message, *others)))


def _hint(status: JobStatus) -> str:
    return filled_in(hint_of(status.error_code, status.error_hint), status.document_id) or ""


def _advice(status: JobStatus, *, has_file: bool) -> str:
    if has_file or not needs_a_file(status.error_code):
        return advice_for(status.error_code)
    return SEND_AGAIN.format(", or remove it" if _may_be_removed(status) else "")


def _fix(status: JobStatus, files: list[str], owner: str) -> str | None:
    if status.state in (State.QUEUED, State.WORKING):
        return "ingest drain"
    if status.state is State.RETRYABLE:
        return f"ingest retry {status.document_id}{owner}"
    if not needs_a_file(status.error_code):
        return command_for_document(status.error_code, status.document_id) + owner
    if len(files) == 1:
        return f"ingest submit {shlex.quote(files[0])}{owner}"
    if files:
        return command_for_document(status.error_code, status.document_id) + owner
    return f"ingest delete {status.document_id}{owner}" if _may_be_removed(status) else None


def _may_be_removed(status: JobStatus) -> bool:
    """Return whether removing the document loses nothing that anybody could read."""
    return remedy_of(status.error_code) is Remedy.CORRECT and not status.searchable


def _owner_option(document: Document | None, own_user: UUID | None) -> str:
    return "" if document is None or document.user_id == own_user else f" --user {document.user_id}"
