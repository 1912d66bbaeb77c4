"""What the launcher of a cluster says and does while no worker answers: with a real broker and a real instance."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import dagster as dg
import pytest
from dagster._core.launcher import LaunchRunContext, WorkerStatus

from ingest_assets.orchestration.claims import LANE_TAG
from ingest_assets.orchestration.cluster import ClusterRunLauncher
from ingest_assets.orchestration.cluster.broker import QUEUES
from ingest_assets.orchestration.cluster.hosts import Host, Hosts
from ingest_assets.orchestration.instance import prepare_instance
from ingest_assets.settings import sqlalchemy_url
from ingest_assets_tests.orchestration.test_instance import enqueue, next_runs, work
from ingest_assets_tests.redis_broker import broker, needs_redis

pytestmark = needs_redis
VARIABLES = ("DAGSTER_HOME", "INGEST_DAGSTER_DATABASE_URL", "DAGSTER_DISABLE_TELEMETRY")


@pytest.fixture
def broker_url() -> Iterator[str]:
    with TemporaryDirectory(prefix="redis-") as short, broker(Path(short)) as url:
        yield url


@pytest.fixture
def deployed(
    broker_url: str, database_url: str, empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dg.DagsterInstance]:
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # and so put back at the end
    monkeypatch.setenv("INGEST_HOME", str(tmp_path))
    monkeypatch.setenv("INGEST_DATABASE_URL", database_url)
    monkeypatch.setenv("INGEST_BROKER_URL", broker_url)
    monkeypatch.setenv("INGEST_LEASE_SECONDS", "3")
    with prepare_instance(tmp_path / "dagster", sqlalchemy_url(empty_database_url), in_cluster=True) as instance:
        yield instance


def started(instance: dg.DagsterInstance) -> dg.DagsterRun:
    return instance.create_run_for_job(work, status=dg.DagsterRunStatus.STARTED)


def launcher_of(instance: dg.DagsterInstance) -> ClusterRunLauncher:
    assert isinstance(instance.run_launcher, ClusterRunLauncher)
    return instance.run_launcher


def test_a_run_stays_queued_until_a_worker_has_room(deployed: dg.DagsterInstance) -> None:
    enqueue(deployed, {})
    assert next_runs(deployed) == []


def test_a_run_that_no_worker_has_and_without_the_tag_of_its_task_is_given_up_after_a_lease(
    deployed: dg.DagsterInstance,
) -> None:
    launcher, run = launcher_of(deployed), started(deployed)
    told = [launcher.check_run_worker_health(run).status]
    while told[-1] is WorkerStatus.RUNNING:
        told.append(launcher.check_run_worker_health(run).status)
    assert len(told) > 1
    assert told[-1] is WorkerStatus.NOT_FOUND


def test_a_launched_run_that_no_worker_has_begun_is_canceled_at_once(deployed: dg.DagsterInstance) -> None:
    run = deployed.create_run_for_job(work, status=dg.DagsterRunStatus.STARTING)
    launcher_of(deployed).launch_run(LaunchRunContext(run, workspace=None))
    assert launcher_of(deployed).terminate(run.run_id)
    ended = deployed.get_run_by_id(run.run_id)
    assert ended is not None
    assert ended.status is dg.DagsterRunStatus.CANCELED


def test_a_launched_run_that_no_worker_begins_fails_within_half_a_minute(deployed: dg.DagsterInstance) -> None:
    assert deployed.run_monitoring_enabled
    assert 0 < deployed.run_monitoring_start_timeout_seconds + deployed.run_monitoring_poll_interval_seconds <= 30


def test_a_started_run_that_no_worker_has_cannot_be_terminated(deployed: dg.DagsterInstance) -> None:
    assert not launcher_of(deployed).terminate(started(deployed).run_id)


def test_while_the_broker_is_away_runs_stay_queued_and_none_is_given_up(
    deployed: dg.DagsterInstance, tmp_path: Path
) -> None:
    away = ClusterRunLauncher(f"redis+socket://{tmp_path}/nobody.sock")
    away.register_instance(deployed)
    assert away.launchable([started(deployed)]) == []
    assert away.check_run_worker_health(started(deployed)).status is WorkerStatus.RUNNING


@dataclass
class Answering(Hosts):
    """Workers that answer without a broker."""

    hosts: dict[str, Host]

    def look(self) -> dict[str, Host]:
        return self.hosts


def test_runs_are_launched_as_far_as_there_are_slots_in_the_queue_of_their_lane(deployed: dg.DagsterInstance) -> None:
    launcher = launcher_of(deployed)
    recognising, other = frozenset({"dagster-ocr"}), frozenset({"dagster", "dagster-parse"})
    launcher.hosts = Answering({"one": Host(1, recognising, frozenset()), "two": Host(3, other, frozenset())})
    busy = deployed.create_run_for_job(work, status=dg.DagsterRunStatus.STARTED)
    wanted = ["ocr", "ocr", "embed", "parse", "no such lane", "parse"]
    runs = [deployed.create_run_for_job(work, tags={LANE_TAG: lane}) for lane in wanted]
    assert [run.tags[LANE_TAG] for run in launcher.launchable(runs)] == ["ocr", "parse", "no such lane"]
    deployed.report_run_canceled(busy)
    assert len(launcher.launchable(runs)) == 4


def test_no_run_is_launched_whose_only_free_slot_another_run_may_take(deployed: dg.DagsterInstance) -> None:
    launcher = launcher_of(deployed)
    parsing = deployed.create_run_for_job(work, status=dg.DagsterRunStatus.STARTED, tags={LANE_TAG: "parse"})
    some, every = frozenset({"dagster-parse", "dagster-embed"}), frozenset(QUEUES)
    busy = Host(2, every, frozenset({parsing.run_id}))
    launcher.hosts = Answering({"some": Host(2, some, frozenset()), "every": busy})
    runs = [deployed.create_run_for_job(work, tags={LANE_TAG: lane}) for lane in ("none", "ocr", "parse")]
    assert launcher.launchable(runs) == runs[:1]
    assert launcher.launchable(runs[1:]) == runs[1:2]
    assert launcher.launchable(runs[2:]) == runs[2:]


def test_a_host_that_does_not_answer_keeps_only_the_runs_of_its_own_lanes_from_being_launched(
    deployed: dg.DagsterInstance,
) -> None:
    launcher = launcher_of(deployed)
    deployed.create_run_for_job(work, status=dg.DagsterRunStatus.STARTED, tags={LANE_TAG: "ocr"})
    launcher.hosts = Answering({"parsing": Host(1, frozenset({"dagster-parse"}), frozenset())})
    runs = [deployed.create_run_for_job(work, tags={LANE_TAG: lane}) for lane in ("ocr", "parse")]
    assert launcher.launchable(runs) == runs[1:]
