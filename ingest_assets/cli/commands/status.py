from typing import Annotated, Any

import typer

from ingest_assets.cli.arguments import DOCUMENT, Json, Viewer, seen_documents, viewer_of
from ingest_assets.cli.causes import show_causes
from ingest_assets.cli.console import out, print_table
from ingest_assets.cli.flow import described, lines_of
from ingest_assets.cli.hints import filled_in, hint_of
from ingest_assets.cli.named_documents import document_of
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.cli.watching import watch
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.warnings import lines_of as warnings_as_json
from ingest_assets.domain.documents.warnings import phrases
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.jobs import JobStatus
from ingest_assets.pipeline.ports.reading import Documents


def status(
    document: Annotated[str | None, DOCUMENT] = None,
    failed: Annotated[
        bool, typer.Option("--failed", help="Group failures by cause, and say what to do about each.")
    ] = False,
    watched: Annotated[bool, typer.Option("--watch", help="Show the counts until Ctrl-C, as they change.")] = False,
    user: Viewer = None,
    as_json: Json = False,
) -> None:
    """Count the documents by stage and state, show one document, or group those that failed by cause."""
    with deployed(as_json=as_json) as deployment:
        if watched and (document is not None or failed or as_json):
            raise PermanentError("wrong_usage", what="--watch shows counts, for people.")
        seen = seen_documents(user, deployment)
        if failed:
            show_causes(seen, user, as_json=as_json)
            return
        if document is None:
            of_one_user = viewer_of(user, deployment.settings) is not None
            if watched:
                watch(lambda: _count_lines(seen, deployment, of_one_user=of_one_user))
                return
            _show_counts(seen, deployment, of_one_user=of_one_user, as_json=as_json)
            return
        document_id = document_of(document, seen)
        found, known = seen.status(document_id), seen.find(document_id)
        if found is None or known is None:
            raise PermanentError("unknown_document")
        facts = describe_status(found, known.filename)
        if as_json:
            print_json(facts)
        else:
            hint = facts.pop("hint", None)
            facts["warnings"] = "; ".join(phrases(found.warnings)) or None
            print_table(("", ""), list(facts.items()))
            if hint is not None:
                out.print(f"What to do: {hint}")


def describe_status(found: JobStatus, filename: str) -> dict[str, Any]:
    """Return where a document stands, as JSON."""
    facts = {
        "document_id": str(found.document_id),
        "filename": filename,
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
        "warnings": warnings_as_json(found.warnings),
    }
    if found.error_code is not None:
        hint = filled_in(hint_of(found.error_code, found.error_hint), found.document_id)
        facts |= {"code": found.error_code, "message": found.error_message, "hint": hint}
    return facts


def _show_counts(seen: Documents, deployment: Deployment, *, of_one_user: bool, as_json: bool) -> None:
    """Print the counts of those who look, and how the whole queue flows."""
    if as_json:
        flow = described(deployment.flows.flow(), deployment.pauses.all())
        print_json({**seen.counts(), "jobs": seen.by_stage_and_state(), "flow": flow})
        return
    for line in _count_lines(seen, deployment, of_one_user=of_one_user):
        out.print(line)


def _count_lines(seen: Documents, deployment: Deployment, *, of_one_user: bool) -> list[str]:
    counts, jobs = seen.counts(), seen.by_stage_and_state()
    rows = {**{name.replace("_", " "): count for name, count in counts.items()}, **jobs}
    width = max(map(len, rows))
    lines = [f"{name:{width}}  {count}" for name, count in rows.items()]
    if counts["dead_letters"]:
        lines.append("Dead letters, by cause: ingest status --failed")
    if of_one_user:
        lines.append("The queue of all users:")
    return lines + lines_of(deployment.flows.flow(), deployment.pauses.all())
