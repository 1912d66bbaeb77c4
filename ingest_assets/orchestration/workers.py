"""How many drain runs there are, in this deployment and in others on the same database."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import dagster as dg

from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.orchestration.claims import INSTANCE_TAG, lane_of_run
from ingest_assets.orchestration.instance import dagster_id
from ingest_assets.orchestration.jobs import CLAIMING_SECONDS, drain_queue
from ingest_assets.pipeline.ports.claiming import Backlog
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.instances import Instances

LIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


@dataclass(frozen=True)
class Workers:
    """The drain runs."""

    name: str
    """This deployment's name."""
    instances: Instances
    backlog: Backlog
    clock: Clock

    def live_drain_runs(self, instance: dg.DagsterInstance, lease: timedelta) -> int:
        """Return how many drain runs of this deployment have yet to start or hold a lease.

        One that holds none while jobs wait is dead.
        """
        return len(self._ages(instance, lease))

    def claiming(self, instance: dg.DagsterInstance, lease: timedelta) -> Counter[Lane | None]:
        """Return how many of these drain runs still claim documents, by lane; others only finish what they have."""
        return Counter(lane for lane, age in self._ages(instance, lease) if age < CLAIMING_SECONDS)

    def _ages(self, instance: dg.DagsterInstance, lease: timedelta) -> list[tuple[Lane | None, float]]:
        """Return the lane of each live drain run of this deployment, and for how many seconds it has run."""
        holders, now = self.backlog.holders(), self.clock.now().timestamp()
        return [
            (lane_of_run(record.dagster_run), now - (record.start_time or now))
            for record in instance.get_run_records(dg.RunsFilter(job_name=drain_queue.name, statuses=LIVE))
            if record.dagster_run.tags.get(INSTANCE_TAG, self.name) == self.name
            and (
                record.dagster_run.status is not dg.DagsterRunStatus.STARTED
                or record.dagster_run.run_id in holders
                or now - (record.start_time or now) < lease.total_seconds()
            )
        ]

    def note(self, instance: dg.DagsterInstance, lease: timedelta) -> None:
        """Renew this deployment's lease, and note that its sensor has looked and which of its drain runs have ended."""
        self.instances.renew(dagster_id(instance))
        self.instances.note_look()
        if self.instances.noted_drain_runs():
            self.instances.reserve(0, own=lambda: self.live_drain_runs(instance, lease), most=0)
