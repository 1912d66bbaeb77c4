from collections import Counter
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.progress import Progress

from ingest_assets.adapters.folders import Found, find_files
from ingest_assets.cli.arguments import Json, User, user_of
from ingest_assets.cli.arrivals import read_arrival
from ingest_assets.cli.estimate import estimate_files, print_estimate
from ingest_assets.cli.output import deployed, describe, messages, print_json, print_table
from ingest_assets.cli.waiting import wait_for
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents import HIGHEST_PRIORITY, LOWEST_PRIORITY, DocumentId, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.pipeline.intake import take_in
from ingest_assets.pipeline.ports import Documents

HINT_OF_FAILED = "It failed before. See why with: ingest explain; try it again with: ingest retry"


def submit(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files, or folders with all below them.")],
    user: User = None,
    wait: Annotated[bool, typer.Option("--wait", help="Return when every document is searchable or failed.")] = False,
    priority: Annotated[
        int,
        typer.Option("--priority", min=LOWEST_PRIORITY, max=HIGHEST_PRIORITY, help="The user's higher ones go first."),
    ] = 0,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only say what it would take and cost.")] = False,
    as_json: Json = False,
) -> None:
    """Take files in; what is already there unchanged makes no work."""
    with deployed(as_json=as_json) as deployment:
        owner = user_of(user, deployment.settings)
        if estimate:
            print_estimate(estimate_files(paths, owner, deployment), as_json=as_json)
            return
        results = _submit_all(paths, owner, deployment, priority)
        failed = any(result["status"] == "rejected" for result in results)
        if wait:
            failed = not wait_for(_queued(results), deployment.services.jobs) or failed
            results = _finished(results, deployment.documents)
        if as_json:
            print_json(results)
        else:
            _print(results)
        if failed:
            raise typer.Exit(1)


def _submit_all(paths: list[Path], owner: UserId, deployment: Deployment, priority: int) -> list[dict[str, Any]]:
    with Progress(console=messages, transient=True, disable=not messages.is_terminal) as progress:
        files = list(find_files(paths))
        tracked = progress.track(files, description="submitting")
        return [_submit_one(found, owner, deployment, priority) for found in tracked]


def _submit_one(found: Found, owner: UserId, deployment: Deployment, priority: int) -> dict[str, Any]:
    """Whatever is wrong with the file is its own result; whatever is wrong with the system ends the command."""
    services = deployment.services
    try:
        content, arrival = read_arrival(found, owner, deployment.settings.max_file_bytes, priority)
    except PermanentError as problem:
        return {"path": str(found.path), "document_id": None, "job_id": None, "status": "rejected", **describe(problem)}
    accepted = take_in(content, arrival, documents=services.documents, objects=services.objects, actor="ingest submit")
    result = {
        "path": str(found.path),
        "document_id": str(accepted.document_id),
        "job_id": str(accepted.job_id),
        "status": accepted.status.value,
    }
    return result if accepted.failure is None else result | {"code": accepted.failure, "hint": HINT_OF_FAILED}


def _finished(results: list[dict[str, Any]], documents: Documents) -> list[dict[str, Any]]:
    """With how each document ended."""
    ended = []
    for result in results:
        status = documents.status(DocumentId(UUID(result["document_id"]))) if result["document_id"] else None
        if status is None:
            ended.append(result)
            continue
        state: dict[str, Any] = {"state": status.state.value}
        if status.error_code is not None:
            state |= {"code": status.error_code, "message": status.error_message, "hint": status.error_hint}
        ended.append(result | state)
    return ended


def _queued(results: list[dict[str, Any]]) -> list[DocumentId]:
    return [DocumentId(UUID(result["document_id"])) for result in results if result["document_id"]]


def _print(results: list[dict[str, Any]]) -> None:
    columns = ("status", "state", "document_id", "path", "code")
    print_table(columns, [tuple(result.get(column) for column in columns) for result in results])
    counts = Counter(result.get("state", result["status"]) for result in results)
    messages.print(", ".join(f"{count} {name}" for name, count in sorted(counts.items())) + ".")
    for code, hint in sorted({(result["code"], result["hint"]) for result in results if "code" in result}):
        messages.print(f"{code}: {hint}")
