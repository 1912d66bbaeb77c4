"""The launcher that `dagster.yaml` names. It asks the warm server, or Dagster's default launcher if none answers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from ingest_assets.orchestration.dagster_internals import install
from ingest_assets.orchestration.dagster_internals.configured_classes import ConfigurableClass, ConfigurableClassData
from ingest_assets.orchestration.dagster_internals.launchers import (
    CheckRunHealthResult,
    DefaultRunLauncher,
    LaunchRunContext,
    RunLauncher,
    WorkerStatus,
    code_server_has,
    is_of_default_launcher,
)
from ingest_assets.orchestration.dagster_internals.run_workers import reference_to
from ingest_assets.orchestration.warm_launcher.other_launchers import OtherLaunchers
from ingest_assets.orchestration.warm_launcher.requests import Request, ask
from ingest_assets.orchestration.warm_launcher.sockets import socket_path


class WarmRunLauncher(RunLauncher[dg.DagsterInstance], ConfigurableClass):
    """Launches runs through the warm server, or through the default launcher if the server does not answer.

    A run with the default launcher's tag belongs to that launcher; every other run belongs to the warm server. If
    another deployment on the same database launched a run, only that one can look after it.
    """

    def __init__(self, inst_data: ConfigurableClassData | None = None) -> None:
        install()
        super().__init__()  # type: ignore[no-untyped-call]  # Dagster's base class is untyped
        self._inst_data = inst_data
        self._default: Any = DefaultRunLauncher()
        self._others = OtherLaunchers()

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
        self._instance.add_run_tags(run_id, self._others.own_tag)
        if not self._ask(Request("launch", run_id, reference_to(self._instance))):
            self._default.launch_run(context)

    def terminate(self, run_id: str) -> bool:
        """Interrupt the run, or return False if it no longer has a process.

        In that case, `check_run_worker_health` reports it later and the run fails.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or self._others.launched(run):
            return False
        if is_of_default_launcher(run):
            return bool(self._default.terminate(run_id))
        if not self._ask(Request("find", run_id)):
            return False
        self._instance.report_run_canceling(run)
        return self._ask(Request("interrupt", run_id))

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        if self._others.launched(run):
            return self._others.health_of(run, self._instance)
        if self._has_process(run):
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "Its process has ended.")

    def dispose(self) -> None:
        self._default.dispose()

    def join(self, timeout: int = 30) -> None:
        self._default.join(timeout)

    def _has_process(self, run: dg.DagsterRun) -> bool:
        if is_of_default_launcher(run):
            return code_server_has(run)
        return self._ask(Request("find", run.run_id), when_busy=True)

    def _ask(self, request: Request, *, when_busy: bool = False) -> bool:
        """Return the server's answer, or `when_busy` if the server exists but takes too long."""
        try:
            return ask(socket_path(Path(self._instance.root_directory)), request)
        except TimeoutError:
            return when_busy
        except OSError:
            return False
