import json
import signal
import subprocess
import sys
from typing import Annotated, Any

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import messages, out
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.cli.up import prepare
from ingest_assets.composition import Deployment
from ingest_assets.domain.errors import PermanentError

DAY_SECONDS = 86_400.0
INTERRUPTED = 128 + signal.SIGINT


def drain(
    workers: Annotated[int, typer.Option("--workers", min=1, max=64, help="Drain runs at a time.")] = 1,
    as_json: Json = False,
) -> None:
    """Work the queue off in the foreground until it is empty."""
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
    return subprocess.Popen([sys.executable, "-m", "ingest_assets.cli", "drain", "--json"], stdout=subprocess.PIPE)


def _totals_of(worker: subprocess.Popen[bytes]) -> dict[str, int]:
    output, _ = worker.communicate()
    if worker.returncode != 0:
        raise PermanentError("dagster_stopped", folder="dagster/logs")
    return dict(json.loads(output))


def _drain_here(deployment: Deployment) -> dict[str, Any]:
    """One drain run in this process, shown in Dagster like any other."""
    import dagster as dg

    from ingest_assets.definitions import build_definitions
    from ingest_assets.orchestration.jobs import drain_config

    settings = deployment.settings
    job = build_definitions(deployment).resolve_job_def("drain_queue")
    config = drain_config(in_flight=settings.drain_in_flight, until_empty=True, duration_seconds=DAY_SECONDS)
    config |= {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    try:
        with dg.DagsterInstance.get() as instance:
            result = job.execute_in_process(run_config=config, instance=instance)
    except dg.DagsterExecutionInterruptedError:
        messages.print("Stopped. What was not finished is queued again.")
        raise typer.Exit(INTERRUPTED) from None
    except dg.DagsterError:
        raise PermanentError("dagster_stopped", folder="dagster/logs") from None
    return dict(result.output_for_node("drain_documents"))
