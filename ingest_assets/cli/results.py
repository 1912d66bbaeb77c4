"""What became of each submitted path, as `ingest submit` prints it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from ingest_assets.cli.hints import FAILED_BEFORE, filled_in, hint_of
from ingest_assets.cli.output import describe, print_json
from ingest_assets.domain.documents.document import Acceptance, DocumentId
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.errors.remedies import remedy_of
from ingest_assets.domain.files.skipping import SkipReason
from ingest_assets.pipeline.ports.reading import Documents
from ingest_assets.pipeline.pruning import Pruned

Result = dict[str, Any]

SKIPPED = "skipped"
SHOWN_UNASKED = 20
"""How many documents without problems get a row: about as many as a screen shows."""
REASONS = {
    SkipReason.SYSTEM_FILE: "files of the operating system",
    SkipReason.TEMPORARY_FILE: "temporary files and half downloads",
    SkipReason.IGNORED: "ignored by .ingestignore, --include or --exclude",
    SkipReason.METADATA_FILE: "metadata of the documents beside them",
    SkipReason.EMPTY_FILE: "empty files",
    SkipReason.PATH_MISSING: "links that lead nowhere, and what is no file",
    SkipReason.FOLDER_LOOP: "links to a folder that contains them",
    SkipReason.UNSUPPORTED: "files of types that nothing reads",
    SkipReason.ARCHIVE_REFUSED: "archives, which INGEST_ARCHIVES would have unpacked",
}
"""What was skipped in folders, as people read it behind a number."""


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
    if outcome.failure is None:
        return result
    return result | {"code": outcome.failure, "hint": FAILED_BEFORE[remedy_of(outcome.failure)]}


def result_of_skipped(path: str, reason: SkipReason) -> Result:
    return {"path": path, "document_id": None, "job_id": None, "status": SKIPPED, "code": reason.value}


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


def counted(counts: Mapping[str, int]) -> str:
    """Return how many there are of each, as people read it."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def show(results: Sequence[Result], *, show_all: bool, as_json: bool) -> None:
    """Print the results; people get each hint once, under the table.

    Of many results, people get those with problems and the first few others, unless all are to be shown.
    """
    if as_json:
        print_json([with_command(result) for result in results])
        return
    from ingest_assets.cli.console import messages, print_table

    columns = ("status", "state", "document_id", "path", "code")
    skipped = Counter(result["code"] for result in results if result["status"] == SKIPPED)
    results = [result for result in results if result["status"] != SKIPPED]
    chosen = results if show_all else _worth_a_row(results)
    print_table(columns, [tuple(result.get(column) for column in columns) for result in chosen])
    if len(chosen) < len(results):
        messages.print(f"{len(results) - len(chosen)} more; `--all` shows them too.")
    counts = Counter(str(result.get("state", result["status"])) for result in results)
    messages.print(f"{counted(counts) or 'Nothing to submit'}.")
    if skipped:
        reasons = ", ".join(f"{count} {REASONS[SkipReason(code)]}" for code, count in sorted(skipped.items()))
        messages.print(f"{skipped.total()} skipped: {reasons}.")
    print_hints({(result["code"], _told(result)) for result in results if "code" in result})


def _worth_a_row(results: Sequence[Result]) -> list[Result]:
    """Return all if they are few, or else the first ones without problems, and then those with problems."""
    if len(results) <= SHOWN_UNASKED:
        return list(results)
    without_problem = [result for result in results if "code" not in result]
    return without_problem[:SHOWN_UNASKED] + [result for result in results if "code" in result]


def _told(result: Result) -> str:
    """Return what happened, if the result says it, and what to do."""
    return " ".join(filter(None, (result.get("message"), result["hint"])))


def print_hints(hints: Iterable[tuple[str, str]]) -> None:
    """Print what to do about each code, one line each, so that no command wraps in the middle."""
    from ingest_assets.cli.console import messages

    for code, hint in sorted(hints):
        messages.print(f"{code}: {hint}")


def with_command(result: Result) -> Result:
    """Return the result with its document in the command of its hint."""
    return result | {"hint": filled_in(result["hint"], result["document_id"])} if "hint" in result else result
