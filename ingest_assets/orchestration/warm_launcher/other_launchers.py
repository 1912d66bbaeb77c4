"""Runs that another deployment launched: its processes are not this one's to look for."""

from functools import cached_property

import dagster as dg

from ingest_assets.composition import Deployment
from ingest_assets.orchestration.dagster_internals.launchers import CheckRunHealthResult, WorkerStatus
from ingest_assets.settings import Settings

LAUNCHER_TAG = "ingest/launched_by"
"""The tag of runs; its value is the name of the deployment that launched them."""


class OtherLaunchers:
    """Knows which runs other deployments launched, and whether those are still at work."""

    def __init__(self, deployment: Deployment | None = None) -> None:
        self._given = deployment

    @property
    def own_tag(self) -> dict[str, str]:
        """Return the tag of runs that this deployment launches."""
        return {LAUNCHER_TAG: self._deployment.instance_name}

    def launched(self, run: dg.DagsterRun) -> bool:
        """Return whether another deployment launched the run."""
        return run.tags.get(LAUNCHER_TAG, self._deployment.instance_name) != self._deployment.instance_name

    def health_of(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Return whether the deployment that launched the run is at work; it notices itself if the run dies."""
        launcher = run.tags[LAUNCHER_TAG]
        if launcher in {other.name for other in self._deployment.instances.others()}:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "The deployment that launched it has ended.")

    @cached_property
    def _deployment(self) -> Deployment:
        return self._given or Deployment(Settings())
