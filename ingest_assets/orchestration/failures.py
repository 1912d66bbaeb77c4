"""Errors as Dagster's page shows them: what happened, whether waiting helps, and the command that helps.

Nothing of a document enters them, not even its name: commands name ids and codes.
"""

from datetime import UTC, datetime

import dagster as dg

from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.errors.remedies import advice_for, command_for_document, next_try
from ingest_assets.domain.queue.jobs import JobStatus
from ingest_assets.domain.queue.stages import State


def failure_of(error: IngestError, status: JobStatus | None = None) -> dg.Failure:
    """Return the error as a Dagster failure without retries: only the queue's policy decides about those.

    Args:
        error: What went wrong.
        status: Where the document stands after it; None if that is unknown, or if there is no document.
    """
    if status is not None and status.error_code == error.code:
        return failure_of_status(status)
    command = None if status is None else f"ingest explain {status.document_id}"
    return _failure(error.code, error.message, [error.hint], command, {"kind": error.kind})


def failure_of_status(status: JobStatus) -> dg.Failure:
    """Return the failure that the database has kept of a document."""
    code, message, hint = (str(each) for each in (status.error_code, status.error_message, status.error_hint))
    facts = {"stage": status.stage.value, "attempts": status.attempts}
    if status.state is State.DEADLETTER:
        return _failure(code, message, [hint, advice_for(code)], command_for_document(code, status.document_id), facts)
    outlook = [next_try(code, status.next_retry_at, datetime.now(UTC))] if status.state is State.RETRYABLE else []
    return _failure(code, message, [*outlook, hint], f"ingest retry {status.document_id}", facts)


def _failure(
    code: str, message: str, advice: list[str], command: str | None, facts: dict[str, str | int]
) -> dg.Failure:
    hint = " ".join(advice)
    told = f"{code}: {message} {hint}"
    metadata = {"code": code, "message": message, "hint": hint, **facts}
    if command is not None:
        told, metadata["command"] = f"{told} Command: {command}", command
    return dg.Failure(told, metadata=metadata, allow_retries=False)
