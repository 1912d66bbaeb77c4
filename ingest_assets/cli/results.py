"""What became of each submitted path, as `ingest submit` prints it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from ingest_assets.cli.hints import FAILED_BEFORE, filled_in, hint_of
from ingest_assets.cli.output import describe, print_json
from ingest_assets.domain.documents.document import Acceptance, DocumentId
from ingest_assets.domain.errors import IngestError
from ingest_assets.pipeline.ports.reading import Documents
from ingest_assets.pipeline.pruning import Pruned

Result = dict[str, Any]


def result_of(path: str, outcome: Acceptance | IngestError) -> Result:
    """Return what became of a path. Commands in its hint have a placeholder for the document."""
    if isinstance(outcome, IngestError):
        return {"path": path, "document_id": None, "job_id": None, "status": "rejected", **describe(outcome)}
    result = {
        "path": path,
        "document_id": str(outcome.document_id),
        "job_id": str(outcome.job_id),
        "status": outcome.status.value,
    }
    return result if outcome.failure is None else result | {"code": outcome.failure, "hint": FAILED_BEFORE}


def result_of_pruned(pruned: Pruned) -> Result:
    ids = {"document_id": str(pruned.acceptance.document_id), "job_id": str(pruned.acceptance.job_id)}
    return {"path": pruned.path, **ids, "status": "pruned"}


def document_ids_of(results: Sequence[Result]) -> list[DocumentId]:
    return [DocumentId(UUID(result["document_id"])) for result in results if result["document_id"]]


def finished(results: Sequence[Result], documents: Documents) -> list[Result]:
    """Return the results with how each document ended."""
    ended = []
    for result in results:
        status = documents.status(DocumentId(UUID(result["document_id"]))) if result["document_id"] else None
        if status is None:
            ended.append(result)
            continue
        state: Result = {"state": status.state.value}
        if status.error_code is not None:
            hint = hint_of(status.error_code, status.error_hint)
            state |= {"code": status.error_code, "message": status.error_message, "hint": hint}
        ended.append(result | state)
    return ended


def show(results: Sequence[Result], *, as_json: bool) -> None:
    """Print the results; people get each hint once, under the table."""
    if as_json:
        print_json([_with_command(result) for result in results])
        return
    from ingest_assets.cli.console import messages, print_table

    columns = ("status", "state", "document_id", "path", "code")
    print_table(columns, [tuple(result.get(column) for column in columns) for result in results])
    counts = Counter(result.get("state", result["status"]) for result in results)
    messages.print(", ".join(f"{count} {name}" for name, count in sorted(counts.items())) + ".")
    print_hints({(result["code"], result["hint"]) for result in results if "code" in result})


def print_hints(hints: Iterable[tuple[str, str]]) -> None:
    """Print what to do about each code, one line each, so that no command wraps in the middle."""
    from ingest_assets.cli.console import messages

    for code, hint in sorted(hints):
        messages.print(f"{code}: {hint}")


def _with_command(result: Result) -> Result:
    return result | {"hint": filled_in(result["hint"], result["document_id"])} if "hint" in result else result
