import json
import signal
import subprocess
import sys
from typing import Annotated, Any

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.commands.up import prepare
from ingest_assets.cli.console import messages, out
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.composition import Deployment
from ingest_assets.domain.errors import PermanentError
from ingest_assets.posix.parent_death import following

INTERRUPTED = 128 + signal.SIGINT


def drain(
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="How many drain runs work at once.")] = 1,
    as_json: Json = False,
) -> None:
    """Process the queue in the foreground until it is empty."""
    with deployed(as_json=as_json) as deployment:
        prepare(deployment)
        others = [_start_worker() for _ in range(workers - 1)]
        totals = [_drain_here(deployment), *(_totals_of(worker) for worker in others)]
        summary = {name: sum(each[name] for each in totals) for name in ("done", "failed", "released")}
        summary["dead_letters"] = deployment.documents.counts()["dead_letters"]
        if as_json:
            print_json(summary)
        else:
            out.print(", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in summary.items()))


def _start_worker() -> subprocess.Popen[bytes]:
    worker = [sys.executable, "-m", "ingest_assets.cli", "drain", "--json"]
    return subprocess.Popen(following(worker), stdout=subprocess.PIPE)


def _totals_of(worker: subprocess.Popen[bytes]) -> dict[str, int]:
    output, _ = worker.communicate()
    if worker.returncode != 0:
        raise PermanentError("dagster_stopped", folder="dagster/logs")
    return dict(json.loads(output))


def _drain_here(deployment: Deployment) -> dict[str, Any]:
    """Execute one drain run in this process; Dagster shows it like any other."""
    from ingest_assets.definitions import build_definitions
    from ingest_assets.orchestration.foreground import InterruptedRun, StoppedRun, drain_here

    try:
        return drain_here(build_definitions(deployment), in_flight=deployment.settings.drain_in_flight)
    except InterruptedRun:
        messages.print("Stopped. Unfinished documents are queued again.")
        raise typer.Exit(INTERRUPTED) from None
    except StoppedRun:
        raise PermanentError("dagster_stopped", folder="dagster/logs") from None
