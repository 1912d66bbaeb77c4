"""The launcher that `dagster.yaml` names: asks the warm server, and Dagster's default launcher where none answers."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import ConfigurableClass, ConfigurableClassData, deserialize_value, serialize_value

from ingest_assets.orchestration.warm_launcher.requests import Request, ask
from ingest_assets.orchestration.warm_launcher.sockets import socket_path


class WarmRunLauncher(RunLauncher[dg.DagsterInstance], ConfigurableClass):
    """A run that carries the default launcher's tag is that one's; every other run is the warm server's."""

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._inst_data = inst_data
        self._default: Any = DefaultRunLauncher()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(
        cls,
        inst_data: ConfigurableClassData | None,
        config_value: Mapping[str, Any],  # noqa: ARG003  there is nothing to configure
    ) -> "WarmRunLauncher":
        return cls(inst_data)

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        super().register_instance(instance)
        self._default.register_instance(instance)

    def launch_run(self, context: LaunchRunContext) -> None:
        run_id = context.dagster_run.run_id
        if not self._ask(Request("launch", run_id, serialize_value(self._instance.get_ref()))):
            self._default.launch_run(context)

    def terminate(self, run_id: str) -> bool:
        """False where the run has no process any more; then `check_run_worker_health` will tell, and the run fails."""
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        if _is_default(run):
            return bool(self._default.terminate(run_id))
        if not self._ask(Request("find", run_id)):
            return False
        self._instance.report_run_canceling(run)
        return self._ask(Request("interrupt", run_id))

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        found = _code_server_has(run) if _is_default(run) else self._ask(Request("find", run.run_id))
        if found:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "Its process has ended.")

    def dispose(self) -> None:
        self._default.dispose()

    def join(self, timeout: int = 30) -> None:
        self._default.join(timeout)

    def _ask(self, request: Request) -> bool:
        try:
            return ask(socket_path(Path(self._instance.root_directory)), request)
        except OSError:
            return False


def _is_default(run: dg.DagsterRun) -> bool:
    return GRPC_INFO_TAG in run.tags


def _code_server_has(run: dg.DagsterRun) -> bool:
    """Whether the code server that started the run knows its process; a code server that has died knows nothing."""
    client = DagsterGrpcClient(**json.loads(run.tags[GRPC_INFO_TAG]))
    try:
        reply = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
    except DagsterUserCodeUnreachableError:
        return False
    return bool(deserialize_value(reply, CanCancelExecutionResult).can_cancel)
