import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import out, tell
from ingest_assets.cli.lookout import looking_out
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.cli.ports import in_use, next_free
from ingest_assets.cli.upkeep import (
    HOST,
    WARM,
    DatabaseKeeper,
    attending,
    daemon,
    until_ready,
    warm_launcher,
    webserver,
)
from ingest_assets.composition import Deployment
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.restarts import RestartPolicy
from ingest_assets.posix.locks import try_exclusive
from ingest_assets.posix.processes import Processes, running
from ingest_assets.posix.signals import stop_on_signals
from ingest_assets.posix.supervisor import Supervisor
from ingest_assets.settings import SECRETS_OF_SERVE, Settings

if TYPE_CHECKING:
    from ingest_assets.orchestration.instance import Instance

POLICY = RestartPolicy()


def up(
    port: Annotated[int | None, typer.Option("--port", min=0, max=65535, help="The UI's port, or 0 for any.")] = None,
    as_json: Json = False,
) -> None:
    """Run the database and Dagster's webserver and daemon in the foreground. Ctrl-C stops all of them."""
    with deployed(as_json=as_json) as deployment, sole_user_of(deployment.settings.home_folder):
        stop_on_signals()
        for name in [each for each in os.environ if each.upper() in SECRETS_OF_SERVE]:
            del os.environ[name]  # the processes of Dagster would show it in their environments
        deployment.begin_boot()
        try:
            with running(deployment.settings.dagster_home / "logs") as processes:
                _run(deployment, processes, ui_port(port, deployment.settings), as_json=as_json)
        except KeyboardInterrupt:
            tell("Stopped.")


def require_cluster_extra() -> None:
    """Check that what a cluster needs is installed.

    Raises:
        PermanentError: extra_missing.
    """
    if find_spec("dagster_celery") is None or find_spec("redis") is None:
        raise PermanentError("extra_missing", what="A cluster (INGEST_BROKER_URL)", name="cluster")


def prepare(deployment: Deployment) -> None:
    """Make and migrate the databases and Dagster's instance before two processes might do so at once."""
    with prepared(deployment):
        return


@contextmanager
def prepared(deployment: Deployment) -> Iterator["Instance"]:
    """Prepare the databases, and yield Dagster's instance."""
    from ingest_assets.orchestration.instance import prepare_instance

    deployment.prepare_databases()
    settings = deployment.settings
    if settings.broker_url is not None:
        require_cluster_extra()
    with prepare_instance(
        settings.dagster_home, deployment.dagster_database_url, in_cluster=settings.broker_url is not None
    ) as instance:
        yield instance


@contextmanager
def kept_database(deployment: Deployment, instance: "Instance") -> Iterator[DatabaseKeeper]:
    """Keep the database running, and this deployment's lease on it, during the block."""
    from ingest_assets.orchestration.instance import dagster_id

    keeper = DatabaseKeeper(deployment, dagster_id(instance), POLICY, tell)
    try:
        yield keeper
    finally:
        keeper.end()


@contextmanager
def sole_user_of(home: Path) -> Iterator[None]:
    """Keep other processes from using the home during the block.

    Raises:
        PermanentError: home_in_use, if another process already uses it; home_not_private.
    """
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        lock = try_exclusive(home / "up.lock")
    except PermissionError:
        raise PermanentError("home_not_private") from None
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
    tell(f"Port {wanted} is in use; the UI gets port {free}.")
    return free


def _run(deployment: Deployment, processes: Processes, port: int, *, as_json: bool) -> NoReturn:
    tell("Starting the database, Dagster's webserver and its daemon ...")
    from ingest_assets.orchestration.page.access import require_password

    require_password(deployment.settings.ui_password_file)
    home, silence = deployment.settings.dagster_home, deployment.settings.silence_seconds
    with prepared(deployment) as instance, kept_database(deployment, instance) as database:
        database.tell_of_others()
        supervisor = Supervisor(processes, POLICY, tell)
        dagster = [supervisor.add(daemon(home, instance, silence)), supervisor.add(webserver(home, port, silence))]
        until_ready(supervisor, database, dagster[1:])
        _announce(f"http://{HOST}:{port}", as_json=as_json)
        if WARM and deployment.settings.broker_url is None:
            supervisor.add(warm_launcher(home, silence))
        with looking_out(deployment):
            for _ in attending(supervisor, database):
                pass
    raise AssertionError


def _announce(url: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"ui": url, "pid": os.getpid()})
        sys.stdout.flush()
    else:
        out.print(f"Dagster UI: {url}")
        out.print("Submit documents with `ingest submit PATH`. Ctrl-C stops everything.")
