"""Two deployments on one database: each has its own Dagster, or they share one."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ingest_assets.adapters.postgres.queue.instances import GRACE
from ingest_assets.composition import Deployment
from ingest_assets.composition.instance_name import begin_boot, boot_of_home
from ingest_assets.definitions import build_definitions
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import TransientError
from ingest_assets.orchestration.dagster_internals.launchers import WorkerStatus
from ingest_assets.orchestration.foreground import drain_here
from ingest_assets.orchestration.instance import dagster_id
from ingest_assets.orchestration.warm_launcher.other_launchers import OtherLaunchers
from ingest_assets.settings import Settings
from ingest_assets_tests.conftest import deployment_for, settings_for
from ingest_assets_tests.documents import policy_text, submit
from ingest_assets_tests.orchestration.later import Later
from ingest_assets_tests.orchestration.runs import NAMES, partition_states, run_drain, run_partition
from ingest_assets_tests.orchestration.test_queue import minute, tick
from ingest_assets_tests.pipeline.test_failures import failing


@pytest.fixture
def neighbour(database_url: str, tmp_path: Path, deployment: Deployment) -> Iterator[Deployment]:
    """Another deployment on the same database and document store, with a home of its own."""
    objects = {"storage_url": deployment.settings.objects_folder.as_uri()}
    settings = settings_for(database_url, tmp_path / "neighbour").model_copy(update=objects)
    with deployment_for(settings, deployment.local_parser) as made:
        yield made


@pytest.fixture
def its_instance() -> Iterator[dg.DagsterInstance]:
    with dg.instance_for_test() as made:
        yield made


def test_both_together_start_no_more_drain_runs_than_one_may(
    deployment: Deployment,
    neighbour: Deployment,
    instance: dg.DagsterInstance,
    its_instance: dg.DagsterInstance,
    user: UserId,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingest_assets.orchestration.queue.JOBS_PER_WORKER", 2)
    for number in range(9):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    assert len(tick(deployment, instance, few_jobs=0, drain_workers=2)) == 2
    assert tick(neighbour, its_instance, few_jobs=0, drain_workers=2) == []
    assert len(tick(neighbour, its_instance, few_jobs=0, drain_workers=3)) == 1


def test_drain_runs_that_have_ended_make_room_for_the_other_deployment(
    deployment: Deployment,
    neighbour: Deployment,
    instance: dg.DagsterInstance,
    its_instance: dg.DagsterInstance,
    user: UserId,
) -> None:
    for number in range(3):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    assert len(tick(deployment, instance, few_jobs=0, drain_workers=1)) == 1
    assert tick(neighbour, its_instance, few_jobs=0, drain_workers=1) == []
    run_drain(deployment, instance)
    with deployment.database.connection() as connection:
        connection.execute("UPDATE upload_pipeline.instances SET reserved_at = reserved_at - %s", [GRACE])
    assert tick(deployment, instance, few_jobs=0, drain_workers=1) == []
    for number in range(3):
        submit(deployment, user, policy_text(f"Other subject {number}", 2), f"other {number}.md")
    assert len(tick(neighbour, its_instance, few_jobs=0, drain_workers=1)) == 1


def test_a_document_is_shown_by_the_dagster_that_worked_on_it_last(
    deployment: Deployment,
    neighbour: Deployment,
    instance: dg.DagsterInstance,
    its_instance: dg.DagsterInstance,
    user: UserId,
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    [request] = tick(deployment, instance)
    run_partition(
        failing(deployment, TransientError("unexpected", error="OSError", place="a test"), 1),
        instance,
        document_id,
        tags=dict(request.tags),
    )
    assert partition_states(instance, NAMES[0])["failed"] == {str(document_id)}
    assert run_drain(neighbour, its_instance, until_empty=True).success
    minute(deployment, instance)
    assert partition_states(its_instance, NAMES[-1])["materialized"] == {str(document_id)}
    assert instance.get_dynamic_partitions("documents") == []


def test_a_live_run_of_another_deployment_is_not_taken_for_dead(
    deployment: Deployment, neighbour: Deployment, instance: dg.DagsterInstance
) -> None:
    neighbour.instances.renew(dagster_id(instance))
    run = dg.DagsterRun("drain_queue", tags=OtherLaunchers(neighbour).own_tag)
    launchers = OtherLaunchers(deployment)
    assert launchers.launched(run)
    assert launchers.health_of(run, instance).status is WorkerStatus.RUNNING
    neighbour.instances.end()
    assert launchers.health_of(run, instance).status is WorkerStatus.NOT_FOUND
    assert not launchers.launched(dg.DagsterRun("drain_queue", tags=launchers.own_tag))


def test_a_run_that_a_command_executes_is_not_taken_for_dead_while_it_works_or_reports(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    submit(deployment, user, policy_text())
    assert drain_here(build_definitions(deployment), in_flight=1)["done"] == 1
    [run] = instance.get_runs()
    assert OtherLaunchers(deployment).launched(run)
    assert OtherLaunchers(deployment).health_of(run, instance).status is WorkerStatus.RUNNING
    later = OtherLaunchers(deployment.replacing(clock=Later(2 * deployment.lease)))
    assert later.health_of(run, instance).status is WorkerStatus.NOT_FOUND
    submit(deployment, user, policy_text("Another subject"), "another.md")
    assert deployment.claims.claim(run.run_id, 1, deployment.lease)
    assert later.health_of(run, instance).status is WorkerStatus.RUNNING


def test_a_home_has_one_name_for_all_its_processes_unless_somebody_names_it(tmp_path: Path) -> None:
    names = {Deployment(Settings(home=tmp_path / home)).instance_name for home in ("one", "one", "two")}
    assert len(names) == 2
    assert Deployment(Settings(home=tmp_path / "one", instance="ours")).instance_name == "ours"


def test_each_start_of_a_home_has_a_name_of_its_own_for_all_its_processes(tmp_path: Path) -> None:
    first = boot_of_home(tmp_path)
    assert boot_of_home(tmp_path) == first
    begin_boot(tmp_path)
    assert boot_of_home(tmp_path) != first
