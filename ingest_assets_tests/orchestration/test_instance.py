"""The Dagster instance of a deployment, as `dagster.yaml` describes it, on a real Postgres."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._daemon.run_coordinator import QueuedRunCoordinatorDaemon

from ingest_assets.orchestration.instance import prepare_instance
from ingest_assets.orchestration.queue import FIRST
from ingest_assets.orchestration.warm_launcher import WarmRunLauncher
from ingest_assets.settings import sqlalchemy_url

OTHERS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("ingest_assets"), "__repository__"), "work"
)
BACKFILL = {"dagster/backfill": "of everything"}


@dg.job
def work() -> None: ...


@pytest.fixture
def deployed(empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    for name in ("DAGSTER_HOME", "INGEST_DAGSTER_DATABASE_URL", "DAGSTER_DISABLE_TELEMETRY"):
        monkeypatch.setenv(name, "")  # and so put back at the end
    with prepare_instance(tmp_path / "home", sqlalchemy_url(empty_database_url)) as instance:
        yield instance


def connections(database_url: str) -> set[int]:
    with psycopg.connect(database_url) as connection:
        return {pid for (pid,) in connection.execute(f"SELECT pid {OTHERS}")}


def enqueue(instance: dg.DagsterInstance, tags: dict[str, str]) -> str:
    queued = dg.DagsterRunStatus.QUEUED
    return instance.create_run_for_job(work, tags=tags, status=queued, remote_job_origin=ORIGIN).run_id


def next_runs(instance: dg.DagsterInstance) -> list[str]:
    """That the daemon would launch now."""
    daemon = QueuedRunCoordinatorDaemon(interval_seconds=1)
    return [run.run_id for run in daemon._get_runs_to_dequeue(instance, instance.get_concurrency_config(), None)]


def test_its_runs_are_launched_warm_and_watched(deployed: dg.DagsterInstance) -> None:
    assert isinstance(deployed.run_launcher, WarmRunLauncher)
    assert deployed.run_monitoring_enabled


def test_a_fresh_database_gets_dagsters_tables_once(deployed: dg.DagsterInstance) -> None:
    run_id = enqueue(deployed, {})
    with dg.DagsterInstance.from_ref(deployed.get_ref()) as again:
        assert again.get_run_by_id(run_id) is not None


def test_its_connections_are_kept_and_closed_at_its_end(deployed: dg.DagsterInstance, empty_database_url: str) -> None:
    with dg.DagsterInstance.from_ref(deployed.get_ref()) as another:
        before = connections(empty_database_url)
        for _ in range(5):
            enqueue(another, {})
        kept = connections(empty_database_url)
        assert kept
        assert len(kept) <= len(before) + 2
    assert len(connections(empty_database_url)) < len(kept)


def test_a_connection_that_the_server_has_ended_is_replaced_unnoticed(
    deployed: dg.DagsterInstance, empty_database_url: str
) -> None:
    run_id = enqueue(deployed, {})
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")
    assert deployed.get_run_by_id(run_id) is not None


def test_a_backfill_leaves_room_for_the_runs_of_the_queue(deployed: dg.DagsterInstance) -> None:
    for _ in range(20):
        enqueue(deployed, BACKFILL)
    queued = [enqueue(deployed, FIRST) for _ in range(2)]
    following = next_runs(deployed)
    assert following[:2] == queued
    assert len(following) == 2 + 3


def test_what_the_queue_asks_for_goes_before_what_was_started_by_hand(deployed: dg.DagsterInstance) -> None:
    by_hand = [enqueue(deployed, {}) for _ in range(10)]
    queued = enqueue(deployed, FIRST)
    following = next_runs(deployed)
    assert following == [queued, *by_hand[:7]]
