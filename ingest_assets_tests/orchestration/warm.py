"""A Dagster instance with the warm launcher, and a warm server in a process of its own."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import dagster as dg
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import create_test_daemon_workspace_context
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget

from ingest_assets.orchestration.warm_launcher.requests import Request, ask
from ingest_assets.orchestration.warm_launcher.sockets import socket_path
from ingest_assets_tests.orchestration.launched import FOLDER_TAG, defs
from ingest_assets_tests.waiting import until

MODULE = "ingest_assets_tests.orchestration.launched"
CHECKOUT = Path(__file__).parents[2]
LAUNCHER = {"module": "ingest_assets.orchestration.warm_launcher", "class": "WarmRunLauncher"}
SERVER = """
from ingest_assets.orchestration.warm_launcher import __main__, server
server.GRACE_SECONDS = 2
__main__.main()
"""


@dataclass(frozen=True)
class Deployment:
    instance: dg.DagsterInstance
    workspace: WorkspaceProcessContext
    folder: Path
    """For what runs leave."""

    @property
    def socket(self) -> Path:
        return socket_path(Path(self.instance.root_directory))

    @contextmanager
    def server(self) -> Iterator[subprocess.Popen[bytes]]:
        """Answering; stopped with the block, its runs first."""
        process = subprocess.Popen([sys.executable, "-c", SERVER, self.instance.root_directory, MODULE], cwd=CHECKOUT)
        try:
            until(lambda: process.poll() is not None or self.answers())
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()

    def answers(self) -> bool:
        try:
            return not ask(self.socket, Request("find", "no run"))
        except OSError:
            return False

    def create(self, job: str) -> str:
        """A run that has not been launched."""
        folder = self.folder / str(uuid4())
        folder.mkdir()
        location = self.workspace.create_request_context().get_code_location("launched")
        remote = next(iter(location.get_repositories().values())).get_full_job(job)
        return self.instance.create_run_for_job(
            defs.resolve_job_def(job),
            tags={FOLDER_TAG: str(folder)},
            remote_job_origin=remote.get_remote_origin(),
            job_code_origin=remote.get_python_origin(),
        ).run_id

    def launch(self, job: str) -> str:
        return self.instance.launch_run(self.create(job), self.workspace.create_request_context()).run_id

    def start(self, job: str) -> str:
        """Launched, and its op at work."""
        run_id = self.launch(job)
        until(lambda: self.left(run_id, "started"))
        return run_id

    def left(self, run_id: str, name: str) -> bool:
        return (Path(self.run(run_id).tags[FOLDER_TAG]) / name).exists()

    def run(self, run_id: str) -> dg.DagsterRun:
        found = self.instance.get_run_by_id(run_id)
        assert found is not None
        return found

    def status(self, run_id: str) -> dg.DagsterRunStatus:
        return self.run(run_id).status

    def end(self, run_id: str) -> dg.DagsterRunStatus:
        """Waits for it."""
        until(lambda: self.run(run_id).is_finished)
        return self.status(run_id)

    def launched_warm(self, run_id: str) -> bool:
        return GRPC_INFO_TAG not in self.run(run_id).tags

    def events(self, run_id: str) -> list[dg.DagsterEvent]:
        return [entry.dagster_event for entry in self.instance.all_logs(run_id) if entry.dagster_event is not None]

    def process_of(self, run_id: str) -> int:
        """That executes it, as its first event tells."""

        def told() -> int | None:
            data = [event.engine_event_data for event in self.events(run_id) if event.is_engine_event]
            return next((int(str(each.metadata["pid"].value)) for each in data if "pid" in each.metadata), None)

        return int(until(told))


@contextmanager
def deployment(folder: Path) -> Iterator[Deployment]:
    target = ModuleTarget(MODULE, attribute=None, working_directory=None, location_name="launched")
    overrides = {"run_launcher": LAUNCHER, "run_monitoring": {"enabled": True}}
    with (
        dg.instance_for_test(overrides=overrides) as instance,
        create_test_daemon_workspace_context(target, instance) as workspace,
    ):
        yield Deployment(instance, workspace, folder)
