import os
import sys
from typing import Annotated

import typer

from ingest_assets.cli.commands.up import prepare
from ingest_assets.cli.output import deployed
from ingest_assets.cli.upkeep import DEFINITIONS
from ingest_assets.composition import Deployment
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.lanes import Lane

PROGRAM = "ingest_assets.orchestration.cluster"


def worker(
    slots: Annotated[int, typer.Option("--slots", min=1, max=64, help="How many runs it executes at a time.")] = 2,
    lanes: Annotated[
        str | None,
        typer.Option("--lanes", help="The only lanes whose runs it executes, such as parse,ocr; by default, all runs."),
    ] = None,
) -> None:
    """Execute runs that `ingest up` hands over, on this host, in the foreground. Ctrl-C gives back what it holds."""
    with deployed(as_json=False) as deployment:
        chosen = _chosen(lanes, deployment)
        require_shared(deployment)
        prepare(deployment)
        command = [sys.executable, "-m", PROGRAM, deployment.instance_name, str(slots), DEFINITIONS, *chosen]
    os.execv(sys.executable, command)  # noqa: S606  our own command; it forks, and so must inherit no thread


def _chosen(lanes: str | None, deployment: Deployment) -> list[Lane]:
    """Return the lanes that are named.

    Raises:
        PermanentError: wrong_usage.
    """
    if lanes is None:
        return []
    names = [name.strip() for name in lanes.split(",")]
    unknown = [name for name in names if name not in set(Lane)]
    if unknown:
        what = f"There is no lane {unknown[0]!r}; --lanes takes {', '.join(Lane)}, separated by commas."
        raise PermanentError("wrong_usage", what=what)
    if not deployment.settings.lanes:
        raise PermanentError("wrong_usage", what="Set INGEST_LANES=true for all hosts, or leave out --lanes.")
    return list(dict.fromkeys(map(Lane, names)))


def require_shared(deployment: Deployment) -> None:
    """Check that this host uses what the others use.

    Raises:
        PermanentError: wrong_usage.
    """
    settings = deployment.settings
    if settings.broker_url is None:
        raise PermanentError("wrong_usage", what="Set INGEST_BROKER_URL to the broker that all hosts share.")
    if settings.database_url is None or settings.storage_url is None:
        what = "Set INGEST_DATABASE_URL and INGEST_STORAGE_URL to what all hosts share."
        raise PermanentError("wrong_usage", what=what)
