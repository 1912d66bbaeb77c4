"""Why a document is or is not searchable, in words, and the command that would change it."""

import shlex
from dataclasses import dataclass

from ingest_assets.cli.hints import filled_in, hint_of
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import CATALOGUE, PermanentError
from ingest_assets.domain.queue.jobs import Event, JobStatus
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.ports.reading import Documents

CAUSES = {
    State.QUEUED: "It is waiting in the queue for a worker.",
    State.WORKING: "A worker is busy with it.",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What `ingest explain` says about a document."""

    status: JobStatus | None
    """None if the document was deleted."""
    cause: str | None
    """None if the newest version is searchable."""
    fix: str | None
    """A command line, or None if there is nothing to fix."""
    history: list[Event]


def explain_document(document_id: DocumentId, *, documents: Documents) -> Explanation:
    """Return what there is to say about a document.

    Raises:
        PermanentError: unknown_document.
    """
    status, history = documents.status(document_id), documents.history(document_id)
    if status is None and not history:
        raise PermanentError("unknown_document")
    if status is None:
        return Explanation(None, "It was deleted.", None, history)
    return Explanation(status, _cause(status), _fix(status, documents.sources(document_id)), history)


def _cause(status: JobStatus) -> str | None:
    if status.state is State.DONE:
        return None
    hint = filled_in(hint_of(status.error_code, status.error_hint), status.document_id)
    reason = CAUSES.get(status.state) or f"{status.error_message} {hint}"
    older = " An older version is still searchable." if status.searchable else ""
    return reason + older


def _fix(status: JobStatus, sources: list[str]) -> str | None:
    match status.state:
        case State.DONE:
            return None
        case State.QUEUED | State.WORKING:
            return "ingest drain"
        case State.RETRYABLE:
            return f"ingest retry {status.document_id}"
        case State.DEADLETTER:
            return _fix_of_dead_letter(status, sources)


def _fix_of_dead_letter(status: JobStatus, sources: list[str]) -> str:
    """Return the command that submits a repaired file, or the one that tries the document again."""
    problem = CATALOGUE.get(status.error_code or "")
    bad_content = problem is not None and problem.error is PermanentError and status.error_code != "crashed_worker"
    if bad_content and sources:
        return f"ingest submit {shlex.quote(sources[0])}"
    return f"ingest retry {status.document_id}"
