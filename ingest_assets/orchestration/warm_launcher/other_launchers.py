"""Runs that others launched, another deployment or a command: their processes are not this one's to look for."""

from functools import cached_property

import dagster as dg

from ingest_assets.composition import Deployment
from ingest_assets.orchestration.dagster_internals.launchers import CheckRunHealthResult, WorkerStatus
from ingest_assets.settings import Settings

LAUNCHER_TAG = "ingest/launched_by"
"""The tag of runs; its value is the name of the deployment that launched them."""
FOREGROUND_TAG = "ingest/foreground"
"""The tag of runs that nobody launched: the command that it names executes them itself, perhaps on another host."""


class OtherLaunchers:
    """Knows which runs others launched, and whether those are still at work."""

    def __init__(self, deployment: Deployment | None = None) -> None:
        self._given = deployment

    @property
    def own_tag(self) -> dict[str, str]:
        """Return the tag of runs that this deployment launches."""
        return {LAUNCHER_TAG: self._deployment.instance_name}

    def launched(self, run: dg.DagsterRun) -> bool:
        """Return whether another deployment launched the run, or a command executes it."""
        return (
            FOREGROUND_TAG in run.tags
            or run.tags.get(LAUNCHER_TAG, self._deployment.instance_name) != self._deployment.instance_name
        )

    def health_of(self, run: dg.DagsterRun, instance: dg.DagsterInstance) -> CheckRunHealthResult:
        """Return whether the deployment that launched the run is at work; it notices itself if the run dies.

        What a command executes is at work if it holds documents or has told something lately.
        """
        if FOREGROUND_TAG in run.tags:
            return self._health_of_command(run, instance)
        launcher = run.tags[LAUNCHER_TAG]
        if launcher in {other.name for other in self._deployment.instances.others()}:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "The deployment that launched it has ended.")

    def _health_of_command(self, run: dg.DagsterRun, instance: dg.DagsterInstance) -> CheckRunHealthResult:
        told = instance.get_records_for_run(run.run_id, limit=1, ascending=False).records
        silent = self._deployment.clock.now().timestamp() - told[0].timestamp if told else 0
        if silent < self._deployment.lease.total_seconds() or run.run_id in self._deployment.backlog.holders():
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "The command that executed it has ended.")

    @cached_property
    def _deployment(self) -> Deployment:
        return self._given or Deployment(Settings())
