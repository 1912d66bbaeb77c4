import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from ingest_assets.cli.arguments import FollowLinks, Json, Priority, User, actor_of, user_of
from ingest_assets.cli.failed_files import Found, files_of_failures
from ingest_assets.cli.output import deployed
from ingest_assets.cli.results import Result, counted, document_ids_of, finished, result_of, result_of_skipped, show
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Acceptance, UserId
from ingest_assets.domain.documents.metadata import parse_assignments
from ingest_assets.domain.errors import IngestError, PermanentError
from ingest_assets.domain.files.file_states import NoFile, SeenFile, SkippedFile
from ingest_assets.domain.files.skipping import skip_reason_of_problem
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.file_intake import FileIntake
from ingest_assets.pipeline.telling import Tell

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells give it: 128 and the number of the signal."""
STOPPED_TAKING_IN = (
    "Stopped. What stands above is taken in, and perhaps a few files more. To go on, submit the same again: nothing is "
    "taken in twice."
)
STOPPED_WAITING = (
    "Stopped waiting. The documents are taken in. To see whether the work on them goes on: `ingest status`"
)


def submit(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="PATH", help="Files, or folders with everything below them.")
    ] = None,
    user: User = None,
    document: Annotated[
        str | None,
        typer.Option(
            "--document",
            metavar="ID",
            help="Submit this document's own files again; bytes that the store has lost come back.",
        ),
    ] = None,
    code: Annotated[
        str | None, typer.Option("--code", metavar="CODE", help="Submit the files of all dead letters with this code.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until each document is done or has failed.")] = False,
    priority: Priority = 0,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only show the pages, tokens, time and cost.")] = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every file, even if its size and times have not changed.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove documents whose files are gone from these folders.")
    ] = False,
    prune_all: Annotated[
        bool, typer.Option("--prune-all", help="Like --prune, even if nothing is left of a folder.")
    ] = False,
    follow_links: FollowLinks = False,
    include: Annotated[
        list[str] | None,
        typer.Option("--include", metavar="GLOB", help="Of folders, only take files that match; may be given often."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude",
            metavar="GLOB",
            help="Skip what matches in folders, as a line of their .ingestignore would; may be given often.",
        ),
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(
            "--metadata",
            metavar="KEY=VALUE",
            help="What is known about these documents, such as policy_number=POL-1 or date=2024-07-03; "
            "may be given often.",
        ),
    ] = None,
    show_all: Annotated[
        bool, typer.Option("--all", help="Show every document, not only the first ones and those with problems.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Submit files or folders. Files that have not changed make no work.

    What is no document in a folder (temporary, empty and system files, types that nothing reads) is skipped, and
    counted.
    """
    with deployed(as_json=as_json) as deployment:
        given = [each for each in (paths, document, code) if each]
        if len(given) != 1 or (not paths and (estimate or prune or prune_all)):
            raise PermanentError("wrong_usage", what="Name files or folders; or give only --document or --code.")
        if not paths and (include or exclude or metadata):
            raise PermanentError("wrong_usage", what="--include, --exclude and --metadata are for files and folders.")
        known = parse_assignments(metadata or ())

        def intake_of(owner: UserId) -> FileIntake:
            restore = document is not None
            return FileIntake(deployment.intake, deployment.files, owner, verify, priority, restore, known)

        gone, batches = None, dict[UserId, Found]()
        if paths:
            owner = user_of(user, deployment.settings)
            found = list(
                deployment.files.find(paths, follow_links=follow_links, include=include or (), exclude=exclude or ())
            )
            gone = _gone(paths, found, owner, deployment, even_all=prune_all) if prune or prune_all else None
            if estimate:
                _estimate(found, gone, intake_of(owner), deployment, as_json)
                return
            batches[owner] = found
        else:
            batches |= files_of_failures(document, code, user, deployment)
        handed_in = [(intake_of(owner), found) for owner, found in batches.items()]
        _hand_in(handed_in, gone or (), deployment, wait=wait, show_all=show_all, as_json=as_json)


def _hand_in(
    handed_in: Sequence[tuple[FileIntake, Found]],
    gone: Sequence[str],
    deployment: Deployment,
    *,
    wait: bool,
    show_all: bool,
    as_json: bool,
) -> None:
    """Submit each user's files, prune those that are gone, and show what became of all of them."""
    actor = actor_of("submit")
    results: list[Result] = []
    failed, stopped = False, STOPPED_TAKING_IN
    try:
        for intake, found in handed_in:
            results.extend(_submit(found, intake, actor))
            results += _prune(gone, intake.user_id, actor, deployment) if gone else []
        if wait:
            stopped = STOPPED_WAITING
            failed = not _all_done(results, deployment)
        stopped = ""
    except KeyboardInterrupt:
        failed = True
    failed = failed or any(result["status"] == "rejected" for result in results)
    if wait:
        results = finished(results, deployment.documents)
    show(results, show_all=show_all, as_json=as_json)
    if stopped:
        from ingest_assets.cli.console import messages

        messages.print(stopped)
    if failed:
        raise typer.Exit(INTERRUPTED if stopped else 1)


def _submit(found: Found, intake: FileIntake, actor: Actor) -> Iterator[Result]:
    """Submit the files and give what became of each; only an error of the system ends the command."""
    outcomes = intake.take_in([each for each in found if isinstance(each, SeenFile)], actor)
    counts: Counter[str] = Counter()
    with _shown_progress() as tell_progress:
        for each in found:
            result = _result_of_file(each, next(outcomes)) if isinstance(each, SeenFile) else _result_of_none(each)
            counts[result["status"]] += 1
            tell_progress(counted(counts), counts.total(), len(found))
            yield result


def _result_of_none(found: NoFile | SkippedFile) -> Result:
    if isinstance(found, SkippedFile):
        return result_of_skipped(found.path, found.reason)
    return result_of(found.path, found.problem)


def _result_of_file(file: SeenFile, outcome: Acceptance | IngestError) -> Result:
    reason = skip_reason_of_problem(outcome.code) if isinstance(outcome, IngestError) and not file.is_named else None
    return result_of(file.path, outcome) if reason is None else result_of_skipped(file.path, reason)


@contextmanager
def _shown_progress() -> Iterator[Tell]:
    if not sys.stderr.isatty():
        yield lambda _, __, ___: None
        return
    from ingest_assets.cli.work_progress import shown_progress

    with shown_progress() as tell_progress:
        yield tell_progress


def _gone(paths: Sequence[Path], found: Found, owner: UserId, deployment: Deployment, *, even_all: bool) -> list[str]:
    from ingest_assets.cli.prune import find_gone

    missing = [each for each in found if isinstance(each, NoFile)]
    return find_gone(paths, missing, owner, deployment, even_all=even_all)


def _prune(gone: Sequence[str], owner: UserId, actor: Actor, deployment: Deployment) -> list[Result]:
    from ingest_assets.cli.prune import prune_files

    return prune_files(gone, owner, actor, deployment)


def _estimate(
    found: Found, gone: Sequence[str] | None, intake: FileIntake, deployment: Deployment, as_json: bool
) -> None:
    from ingest_assets.cli.estimate import estimate_files, print_estimate

    files = [each for each in found if isinstance(each, SeenFile)]
    pruned = {} if gone is None else {"pruned": len(gone)}
    print_estimate(estimate_files(files, intake, deployment) | pruned, as_json=as_json)


def _all_done(results: Sequence[Result], deployment: Deployment) -> bool:
    from ingest_assets.cli.waiting import wait_for

    return wait_for(document_ids_of(results), deployment.documents)
