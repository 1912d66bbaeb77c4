import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ingest_assets.cli.arguments import FollowLinks, Json, Priority, User, actor_of, user_of
from ingest_assets.cli.output import deployed, report
from ingest_assets.cli.results import SKIPPED, Result, result_of, result_of_pruned, result_of_skipped, with_command
from ingest_assets.composition import Deployment
from ingest_assets.composition.watching import Wanted, watched_folders, watched_queue
from ingest_assets.domain.documents.metadata import parse_assignments
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.skipping import SkipReason
from ingest_assets.pipeline.bucket_arrivals import BucketArrivals
from ingest_assets.pipeline.folder_arrivals import WatchedPlaces
from ingest_assets.pipeline.ports.watching import EventSource
from ingest_assets.pipeline.pruning import Pruned
from ingest_assets.pipeline.watch import Arrivals, Outcome, Unlist, Watch
from ingest_assets.posix.signals import stop_on_signals

SETTLE_SECONDS = 2.0
PASS_MINUTES = 10.0
QUEUE = "sqs://"
STOPPED = "Stopped. To go on, start it again: what has arrived meanwhile comes first, and nothing is taken in twice."


def watch(
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE",
            help="Folders, which are watched with everything below them; or sqs:// with the name or the URL of a queue "
            "that S3 sends event notifications to.",
        ),
    ],
    user: User = None,
    prune: Annotated[bool, typer.Option("--prune", help="Remove documents whose files go.")] = False,
    priority: Priority = 0,
    follow_links: FollowLinks = False,
    include: Annotated[
        list[str] | None,
        typer.Option("--include", metavar="GLOB", help="Only take files that match; may be given often."),
    ] = None,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            "--exclude", metavar="GLOB", help="Skip what matches, as a line of .ingestignore would; may be given often."
        ),
    ] = None,
    metadata: Annotated[
        list[str] | None,
        typer.Option(
            "--metadata", metavar="KEY=VALUE", help="What is known about these documents; may be given often."
        ),
    ] = None,
    settle: Annotated[
        float,
        typer.Option("--settle", metavar="SECONDS", min=0.0, help="How long a file must not have changed."),
    ] = SETTLE_SECONDS,
    every: Annotated[
        float,
        typer.Option(
            "--every", metavar="MINUTES", min=0.1, help="How often to look through whole folders, besides all events."
        ),
    ] = PASS_MINUTES,
    as_json: Json = False,
) -> None:
    """Take in what arrives, until Ctrl-C. What is there already comes first, as with `ingest submit`."""
    with deployed(as_json=as_json) as deployment:
        stop_on_signals()
        wanted = Wanted(
            user_of(user, deployment.settings),
            actor_of("watch"),
            parse_assignments(metadata or ()),
            priority,
            _unlisting(deployment) if prune else None,
        )
        patterns = tuple(include or ()), tuple(exclude or ())
        source: EventSource
        arrivals: Arrivals
        if any(each.startswith(QUEUE) for each in sources):
            queue = _only_one(sources)
            if follow_links:
                raise PermanentError("wrong_usage", what="--follow-links is for folders.")
            source, arrivals = watched_queue(deployment, queue, wanted, include=patterns[0], exclude=patterns[1])
        else:
            places = WatchedPlaces(_folders(sources), follow_links, *patterns)
            source, arrivals = watched_folders(
                deployment, places, wanted, settle_seconds=settle, pass_seconds=every * 60
            )
        watched = Watch(
            source,
            arrivals,
            lambda outcome: _tell(_result_of(outcome), as_json=as_json),
            lambda trouble: report(trouble, as_json=as_json),
        )
        try:
            if not isinstance(arrivals, BucketArrivals):
                watched.take_in_next()
            _announce(sources, as_json=as_json)
            watched.run()
        except KeyboardInterrupt:
            _say_goodbye(as_json=as_json)
        finally:
            source.close()


def _only_one(sources: Sequence[str]) -> str:
    if len(sources) > 1:
        raise PermanentError(
            "wrong_usage", what="A queue is watched alone; start another watch for what else there is."
        )
    return sources[0]


def _folders(sources: Sequence[str]) -> list[Path]:
    """Return the folders as absolute paths.

    Raises:
        PermanentError: wrong_usage, path_missing.
    """
    folders = [Path(source).absolute() for source in sources]
    for folder in folders:
        if not folder.exists():
            raise PermanentError("path_missing")
        if not folder.is_dir():
            raise PermanentError("wrong_usage", what="Only folders can be watched.")
    return folders


def _unlisting(deployment: Deployment) -> Unlist:
    from ingest_assets.cli.commands.up import prepare
    from ingest_assets.orchestration.instance import unlist_documents

    prepare(deployment)

    def unlist(pruned: Pruned) -> None:
        if pruned.deleted:
            unlist_documents([pruned.acceptance.document_id])

    return unlist


def _result_of(outcome: Outcome) -> Result:
    if isinstance(outcome.became, Pruned):
        return result_of_pruned(outcome.became)
    if isinstance(outcome.became, SkipReason):
        return result_of_skipped(outcome.source, outcome.became)
    return with_command(result_of(outcome.source, outcome.became))


def _tell(result: Result, *, as_json: bool) -> None:
    """Print one line; people are not told what is skipped."""
    if as_json:
        _print_line(result)
    elif result["status"] != SKIPPED:
        from ingest_assets.cli.console import messages, out

        columns = ("status", "document_id", "path", "code")
        out.print("  ".join(str(result[column]) for column in columns if result.get(column)).replace("\n", " "))
        if "hint" in result:
            messages.print(f"{result['code']}: {result['hint']}")


def _announce(sources: Sequence[str], *, as_json: bool) -> None:
    """Say that what was in the folders already is taken in, and that more is waited for."""
    if as_json:
        _print_line({"watching": sources, "pid": os.getpid()})
        return
    from ingest_assets.cli.console import messages

    messages.print("Watching; Ctrl-C stops it.")


def _say_goodbye(*, as_json: bool) -> None:
    if not as_json:
        from ingest_assets.cli.console import messages

        messages.print(STOPPED)


def _print_line(value: object) -> None:
    sys.stdout.write(json.dumps(value, default=str) + "\n")
    sys.stdout.flush()
