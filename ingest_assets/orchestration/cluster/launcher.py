"""The launcher that `dagster.cluster.yaml` names: Dagster's own for Celery, which here also tells the truth."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any

import dagster as dg
from dagster_celery.launcher import CeleryRunLauncher

from ingest_assets.composition import Deployment
from ingest_assets.orchestration.claims import CLAIM_TAG
from ingest_assets.orchestration.cluster.broker import (
    CONFIGURATION,
    DEFAULT_QUEUE,
    EXECUTE_RUN,
    TASK_TAG,
    broker_errors,
    queue_of,
)
from ingest_assets.orchestration.cluster.hosts import Hosts
from ingest_assets.orchestration.dagster_internals import install
from ingest_assets.orchestration.dagster_internals.configured_classes import ConfigurableClassData
from ingest_assets.orchestration.dagster_internals.launchers import (
    CheckRunHealthResult,
    LaunchRunContext,
    WorkerStatus,
)
from ingest_assets.orchestration.warm_launcher.other_launchers import OtherLaunchers
from ingest_assets.settings import Settings

AT_WORK = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
SETTLING = timedelta(seconds=4)
"""How long a worker that answers may say that it has not the run which it had: the run may just be ending."""
RUNNING = CheckRunHealthResult(WorkerStatus.RUNNING)


class ClusterRunLauncher(CeleryRunLauncher):
    """Hands runs to the workers of all hosts through a broker.

    Unlike its base class, it asks the workers themselves whether they have a run, so that a run of a dead host ends; it
    ends terminated runs as canceled; and it registers no task, since it only sends them by their name.
    """

    def __init__(self, broker: str, inst_data: ConfigurableClassData | None = None) -> None:
        install()
        super().__init__(default_queue=DEFAULT_QUEUE, broker=broker, config_source=CONFIGURATION, inst_data=inst_data)
        self.hosts = Hosts(self.celery)
        self._broker_errors = broker_errors(self.celery)
        self._sightings: dict[str, tuple[str, float]] = {}
        self._missing: dict[str, float] = {}

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {"broker": dg.Field(dg.StringSource, description="The URL of the broker: redis:// or amqp://.")}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]
    ) -> "ClusterRunLauncher":
        return cls(inst_data=inst_data, **config_value)

    def launchable(self, runs: Sequence[dg.DagsterRun]) -> list[dg.DagsterRun]:
        """Return those of the runs for which workers certainly have slots now: what waits for one too long fails."""
        at_work, executed = self._instance.get_runs(dg.RunsFilter(statuses=AT_WORK)), self.hosts.executed()
        waiting = Counter(queue_of(run) for run in at_work if run.run_id not in executed)
        chosen: list[dg.DagsterRun] = []
        for run in runs:
            if self.hosts.take_also(queue_of(run), waiting):
                waiting[queue_of(run)] += 1
                chosen.append(run)
        return chosen

    def launch_run(self, context: LaunchRunContext) -> None:
        run = context.dagster_run
        self._instance.add_run_tags(run.run_id, self._others.own_tag | {TASK_TAG: run.run_id})
        self.celery.send_task(EXECUTE_RUN, args=[run.run_id], task_id=run.run_id, queue=queue_of(run))
        self._instance.report_engine_event("The broker has the run for a worker.", run, cls=type(self))

    def terminate(self, run_id: str) -> bool:
        """Interrupt the run, or cancel it if no worker has begun with it.

        Returns:
            False if no worker has a run that has begun; `check_run_worker_health` reports it later and the run fails.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished or self._others.launched(run):
            return False
        if run.status is dg.DagsterRunStatus.STARTED and self.hosts.holder_of(run_id) is None:
            return False
        self._instance.report_run_canceling(run)
        try:
            self.celery.control.revoke(run_id, terminate=True, signal="SIGTERM")
        except self._broker_errors:
            return False
        if run.status is not dg.DagsterRunStatus.STARTED:
            self._instance.report_run_canceled(run)
        return True

    @property
    def supports_resume_run(self) -> bool:
        return False

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return whether a worker has the run, as long as the broker can be asked.

        A worker that answers is believed at once. One that does not may be busy: its run is given up when it has not
        been heard of for a lease, and holds none.
        """
        if self._others.launched(run):
            return self._others.health_of(run, self._instance)
        hosts, now = self.hosts.look(), time.monotonic()
        if hosts is None:
            return RUNNING
        holder = self.hosts.holder_of(run.run_id)
        if holder is not None:
            self._sightings[run.run_id] = holder, now
            self._missing.pop(run.run_id, None)
            return RUNNING
        missing = timedelta(seconds=now - self._missing.setdefault(run.run_id, now))
        last_holder, _ = self._sightings.get(run.run_id, (None, now))
        if last_holder in hosts:
            return RUNNING if missing < SETTLING else self._given_up(run, "Its process has ended.")
        if missing < self._deployment.lease or self._holds_lease(run):
            return RUNNING
        return self._given_up(run, "The worker that had it does not answer.")

    def get_run_worker_debug_info(self, run: dg.DagsterRun, include_container_logs: bool | None = True) -> str | None:  # noqa: ARG002, FBT001, FBT002  as Dagster calls it
        holder = self.hosts.holder_of(run.run_id)
        return None if holder is None else f"The worker {holder} has it."

    def _given_up(self, run: dg.DagsterRun, why: str) -> CheckRunHealthResult:
        for known in (self._sightings, self._missing):
            known.pop(run.run_id, None)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, why)

    def _holds_lease(self, run: dg.DagsterRun) -> bool:
        return not self._deployment.backlog.holders().isdisjoint({run.run_id, run.tags.get(CLAIM_TAG, run.run_id)})

    @cached_property
    def _deployment(self) -> Deployment:
        return Deployment(Settings())

    @cached_property
    def _others(self) -> OtherLaunchers:
        return OtherLaunchers(self._deployment)
