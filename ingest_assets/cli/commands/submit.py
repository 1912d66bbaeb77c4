import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ingest_assets.cli.arguments import Json, User, actor_of, user_of
from ingest_assets.cli.output import deployed
from ingest_assets.cli.results import Result, document_ids_of, finished, result_of, show
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import HIGHEST_PRIORITY, LOWEST_PRIORITY, Acceptance, UserId
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.files.file_states import NoFile, SeenFile
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.file_intake import FileIntake

Found = Sequence[SeenFile | NoFile]


def submit(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH", help="Files, or folders with everything below them.")],
    user: User = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until each document is done or has failed.")] = False,
    priority: Annotated[
        int,
        typer.Option(
            "--priority",
            min=LOWEST_PRIORITY,
            max=HIGHEST_PRIORITY,
            help="Documents of the same user with a higher priority go first.",
        ),
    ] = 0,
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
    as_json: Json = False,
) -> None:
    """Submit files or folders. Files that have not changed make no work."""
    with deployed(as_json=as_json) as deployment:
        owner = user_of(user, deployment.settings)
        intake = FileIntake(deployment.intake, deployment.files, owner, verify, priority)
        found = list(deployment.files.find(paths))
        gone = _gone(paths, found, owner, deployment, even_all=prune_all) if prune or prune_all else None
        if estimate:
            _estimate(found, gone, intake, deployment, as_json=as_json)
            return
        actor = actor_of("submit")
        results = _submit(found, intake, actor)
        pruned = _prune(gone, owner, actor, deployment) if gone else []
        failed = any(result["status"] == "rejected" for result in results)
        if wait:
            failed = not _all_done(results, deployment) or failed
            results = finished(results, deployment.documents)
        show([*results, *pruned], as_json=as_json)
        if failed:
            raise typer.Exit(1)


def _submit(found: Found, intake: FileIntake, actor: Actor) -> list[Result]:
    """Submit the files and return what became of each; only an error of the system ends the command."""
    files = [each for each in found if isinstance(each, SeenFile)]
    outcomes = intake.take_in(files, actor)
    of_files = iter(list(_tracked(outcomes, len(files))))
    return [result_of(each.path, each.problem if isinstance(each, NoFile) else next(of_files)) for each in found]


def _tracked(outcomes: Iterable[Acceptance | IngestError], count: int) -> Iterable[Acceptance | IngestError]:
    """Yield the outcomes, with a progress bar on a terminal."""
    if not sys.stderr.isatty():
        return outcomes
    from rich.progress import track

    from ingest_assets.cli.console import messages

    return track(outcomes, "submitting", count, console=messages, transient=True)


def _gone(paths: Sequence[Path], found: Found, owner: UserId, deployment: Deployment, *, even_all: bool) -> list[str]:
    from ingest_assets.cli.prune import find_gone

    missing = [each for each in found if isinstance(each, NoFile)]
    return find_gone(paths, missing, owner, deployment, even_all=even_all)


def _prune(gone: Sequence[str], owner: UserId, actor: Actor, deployment: Deployment) -> list[Result]:
    from ingest_assets.cli.prune import prune_files

    return prune_files(gone, owner, actor, deployment)


def _estimate(
    found: Found, gone: Sequence[str] | None, intake: FileIntake, deployment: Deployment, *, as_json: bool
) -> None:
    from ingest_assets.cli.estimate import describe_estimate, estimate_files, print_estimate

    files = [each for each in found if isinstance(each, SeenFile)]
    pruned = {} if gone is None else {"pruned": len(gone)}
    print_estimate(describe_estimate(estimate_files(files, intake, deployment)) | pruned, as_json=as_json)


def _all_done(results: Sequence[Result], deployment: Deployment) -> bool:
    from ingest_assets.cli.waiting import wait_for

    return wait_for(document_ids_of(results), deployment.documents)
