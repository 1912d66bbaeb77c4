import os
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Annotated, NoReturn

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import messages, out
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.cli.ports import in_use, next_free
from ingest_assets.composition import Deployment
from ingest_assets.domain.errors import PermanentError
from ingest_assets.posix.locks import try_exclusive
from ingest_assets.posix.processes import Processes, running
from ingest_assets.posix.signals import stop_on_signals
from ingest_assets.settings import Settings

HOST = "127.0.0.1"
START_SECONDS = 120
POLL_SECONDS = 0.25
RESTART_SECONDS = 10
"""How long the runs of a killed warm launcher get to end by themselves before another launcher starts."""
DEFINITIONS = "ingest_assets.definitions"
WARM = sys.platform == "linux"
"""Whether forked processes can be relied on; if not, Dagster's default launcher starts all runs."""
QUIET = ["--dagster-log-level", "warning"]
"""Dagster keeps what happened in its database; its logs would grow without limit."""


def up(
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="The UI's port, or 0 for any.")] = None,
    as_json: Json = False,
) -> None:
    """Run the database and Dagster's webserver and daemon in the foreground. Ctrl-C stops all of them."""
    with deployed(as_json=as_json) as deployment, sole_user_of(deployment.settings.home_folder):
        stop_on_signals()
        try:
            _run(deployment, ui_port(port, deployment.settings), as_json=as_json)
        except KeyboardInterrupt:
            messages.print("Stopped.")


def prepare(deployment: Deployment) -> None:
    """Make and migrate the databases and Dagster's instance before two processes might do so at once."""
    from ingest_assets.orchestration.instance import prepare_instance

    deployment.prepare_databases()
    prepare_instance(deployment.settings.dagster_home, deployment.dagster_database_url).dispose()


@contextmanager
def sole_user_of(home: Path) -> Iterator[None]:
    """Keep other processes from using the home during the block.

    Raises:
        PermanentError: home_in_use, if another process already uses it.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = try_exclusive(home / "up.lock")
    if lock is None:
        raise PermanentError("home_in_use")
    try:
        yield
    finally:
        lock.release()


def ui_port(asked: int | None, settings: Settings) -> int:
    """Return the UI's port: the one that somebody chose, or the first free one from the default on.

    Raises:
        PermanentError: wrong_usage, if the chosen port is in use.
    """
    wanted = settings.ui_port if asked is None else asked
    free = next_free(HOST, wanted)
    if wanted in (0, free):
        return free
    if asked is not None or "ui_port" in settings.model_fields_set:
        raise in_use(HOST, wanted)
    messages.print(f"Port {wanted} is in use; the UI gets port {free}.")
    return free


def _run(deployment: Deployment, port: int, *, as_json: bool) -> NoReturn:
    messages.print("Starting the database, Dagster's webserver and its daemon ...")
    prepare(deployment)
    home = deployment.settings.dagster_home
    with running(home / "logs") as processes:
        dagster = [processes.start(name, command) for name, command in _dagster(home, port).items()]
        if _answers_in_time(f"http://{HOST}:{port}", dagster):
            _announce(f"http://{HOST}:{port}", as_json=as_json)
            _attend(processes, dagster, home)
    raise PermanentError("dagster_stopped", folder="dagster/logs")


def _dagster(home: Path, port: int) -> dict[str, list[str]]:
    programs, workspace = Path(sys.executable).parent, str(home / "workspace.yaml")
    webserver = [str(programs / "dagster-webserver"), "-h", HOST, "-p", str(port), "-w", workspace, *QUIET]
    webserver += ["--code-server-log-level", "warning"]
    daemon = [str(programs / "dagster-daemon"), "run", "-w", workspace, "--log-level", "warning"]
    return {"dagster-daemon": daemon, "dagster-webserver": webserver}


def _answers_in_time(url: str, dagster: Sequence[Popen[bytes]]) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while _all_run(dagster) and time.monotonic() < deadline:
        if _answers(url):
            return True
        time.sleep(POLL_SECONDS)
    return False


def _attend(processes: Processes, dagster: Sequence[Popen[bytes]], home: Path) -> None:
    """Return when Dagster ends. The warm launcher starts last and is restarted: without it, runs only start slowly."""
    command = [sys.executable, "-m", "ingest_assets.orchestration.warm_launcher", str(home), DEFINITIONS]
    launcher = processes.start("warm-launcher", command) if WARM else None
    ended: float | None = None
    while _all_run(dagster):
        if launcher is not None and launcher.poll() is not None:
            ended = ended or time.monotonic()
            if time.monotonic() - ended > RESTART_SECONDS:
                processes.end(launcher)
                launcher, ended = processes.start("warm-launcher", command), None
        time.sleep(POLL_SECONDS)


def _all_run(processes: Sequence[Popen[bytes]]) -> bool:
    return all(process.poll() is None for process in processes)


def _announce(url: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"ui": url, "pid": os.getpid()})
        sys.stdout.flush()
    else:
        out.print(f"Dagster UI: {url}")
        out.print("Submit documents with `ingest submit PATH`. Ctrl-C stops everything.")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/server_info", timeout=5) as answer:  # noqa: S310  our own address
            return bool(answer.status == 200)  # noqa: PLR2004
    except OSError:
        return False
