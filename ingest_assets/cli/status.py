from dataclasses import asdict
from typing import Annotated, Any

import typer

from ingest_assets.cli.arguments import Json, Viewer, documents_of, seen_documents
from ingest_assets.cli.console import print_table
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.jobs import FailedDocument, JobStatus
from ingest_assets.pipeline.ports.reading import Documents


def status(
    document: Annotated[str | None, typer.Argument(help="One document's id.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="List the dead letters and what waits for a retry.")] = False,
    user: Viewer = None,
    as_json: Json = False,
) -> None:
    """Count the documents by stage and state, show one of them, or list those that failed."""
    with deployed(as_json=as_json) as deployment:
        seen = seen_documents(user, deployment)
        if failed:
            _show_failed(seen.failed(), as_json=as_json)
            return
        if document is None:
            _show_counts(seen, as_json=as_json)
            return
        found = seen.status(documents_of([document])[0])
        if found is None:
            raise PermanentError("unknown_document")
        described = describe_status(found)
        if as_json:
            print_json(described)
        else:
            print_table(("", ""), list(described.items()))


def describe_status(found: JobStatus) -> dict[str, Any]:
    described = {
        "document_id": str(found.document_id),
        "job_id": str(found.job_id),
        "stage": found.stage.value,
        "state": found.state.value,
        "searchable": found.searchable,
        "chunks": found.chunks,
        "version": found.version,
        "live_version": found.live_version,
        "attempts": found.attempts,
        "next_retry_at": found.next_retry_at and found.next_retry_at.isoformat(),
        "finished_at": found.finished_at and found.finished_at.isoformat(),
    }
    if found.error_code is not None:
        described |= {"code": found.error_code, "message": found.error_message, "hint": found.error_hint}
    return described


def _show_failed(found: list[FailedDocument], *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(each) for each in found])
        return
    rows = [(each.document_id, each.filename, each.state, each.code, each.hint) for each in found]
    print_table(("document", "file", "state", "code", "what to do"), rows)


def _show_counts(seen: Documents, *, as_json: bool) -> None:
    counts, jobs = seen.counts(), seen.by_stage_and_state()
    if as_json:
        print_json({**counts, "jobs": jobs})
        return
    print_table(("", ""), [*((name.replace("_", " "), count) for name, count in counts.items()), *jobs.items()])
