"""What Dagster goes on showing of what is finished, on its real storage."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.tags import BACKFILL_ID_TAG
from pydantic import SecretStr

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, Producer, UserId
from ingest_assets.domain.documents.retention import RetentionPolicy
from ingest_assets.domain.errors import PermanentError, TransientError
from ingest_assets.orchestration import unlisting
from ingest_assets.orchestration.partitions import documents
from ingest_assets.orchestration.purging import JOBS
from ingest_assets.orchestration.run_history import CHECK_KEYS
from ingest_assets.orchestration.schedules import (
    daily_purge,
    hourly_unlisting,
    look_after_deletions,
    look_after_remote_jobs,
)
from ingest_assets.orchestration.storage import KeptConnections
from ingest_assets.pipeline.stored_objects import folder_key
from ingest_assets.settings import Settings, sqlalchemy_url
from ingest_assets_tests.documents import TEST, policy_text, submit
from ingest_assets_tests.emulators.llamacloud import LlamaCloudEmulator
from ingest_assets_tests.emulators.llamaparse import KEY
from ingest_assets_tests.orchestration.later import Later
from ingest_assets_tests.orchestration.runs import (
    NAMES,
    definitions,
    materialization,
    partition_states,
    run_drain,
    run_partition,
)
from ingest_assets_tests.pipeline.test_failures import failing

NOTHING_IS_OLD = RetentionPolicy(history=timedelta(days=1))
EVERYTHING_IS_OLD = RetentionPolicy(history=timedelta(0))


@pytest.fixture
def instance(empty_database_url: str) -> Iterator[dg.DagsterInstance]:
    storage = {
        "module": KeptConnections.__module__,
        "class": KeptConnections.__name__,
        "config": {"postgres_url": sqlalchemy_url(empty_database_url)},
    }
    with dg.instance_for_test(overrides={"storage": {"custom": storage}}) as made:
        yield made


def run_job(
    deployment: Deployment, instance: dg.DagsterInstance, name: str, retention: RetentionPolicy
) -> dict[str, int]:
    job = definitions(deployment, retention=retention).resolve_job_def(name)
    result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert result.success
    [step] = result.get_step_success_events()
    assert step.step_key is not None
    return dict(result.output_for_node(step.step_key))


def unlist(deployment: Deployment, instance: dg.DagsterInstance, kept: int | None) -> dict[str, int]:
    return run_job(deployment, instance, "unlist_partitions", RetentionPolicy(partitions=kept))


def purge(deployment: Deployment, instance: dg.DagsterInstance, retention: RetentionPolicy = EVERYTHING_IS_OLD) -> int:
    return run_job(deployment, instance, "purge_runs", retention)["deleted"]


def arrive(deployment: Deployment, user: UserId, name: str) -> DocumentId:
    return submit(deployment, user, policy_text(name, 2), f"{name}.md").document_id


def drained(deployment: Deployment, instance: dg.DagsterInstance, user: UserId, *names: str) -> list[DocumentId]:
    """Finished one after the other."""
    found = []
    for name in names:
        found.append(arrive(deployment, user, name))
        assert run_drain(deployment, instance).success
    return found


def listed(instance: dg.DagsterInstance) -> set[UUID]:
    return {UUID(key) for key in instance.get_dynamic_partitions(str(documents.name))}


def materialized(instance: dg.DagsterInstance, asset: str) -> set[UUID]:
    return {UUID(key) for key in partition_states(instance, asset)["materialized"]}


def tick(
    schedule: dg.ScheduleDefinition, deployment: Deployment, instance: dg.DagsterInstance, retention: RetentionPolicy
) -> bool:
    """Whether it asks for a run."""
    loaded = definitions(deployment, retention=retention)
    with dg.build_schedule_context(
        instance=instance, repository_def=loaded.get_repository_def(), resources=loaded.resources or {}
    ) as context:
        return bool(schedule.evaluate_tick(context).run_requests)


def test_the_newest_finished_documents_and_all_others_stay_partitions(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    finished = drained(deployment, instance, user, "one", "two", "three", "four")
    failed = arrive(deployment, user, "failing")
    run_partition(failing(deployment, PermanentError("corrupt"), 1), instance, failed)
    waiting = arrive(deployment, user, "waiting")
    instance.add_dynamic_partitions(str(documents.name), [str(waiting)])
    assert unlist(deployment, instance, kept=2) == {"deleted": 0, "finished": 2}
    assert listed(instance) == {*finished[2:], failed, waiting}
    assert unlist(deployment, instance, kept=2) == {"deleted": 0, "finished": 0}


def test_the_ui_counts_what_is_listed(deployment: Deployment, instance: dg.DagsterInstance, user: UserId) -> None:
    finished = drained(deployment, instance, user, "one", "two", "three")
    assert all(materialized(instance, name) == set(finished) for name in NAMES)
    unlist(deployment, instance, kept=1)
    assert all(materialized(instance, name) == {finished[2]} for name in NAMES)


def test_whoever_wants_all_of_them_keeps_them(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    finished = drained(deployment, instance, user, "one", "two")
    unlist(deployment, instance, kept=None)
    assert listed(instance) == set(finished)


def test_an_unlisted_document_that_comes_back_is_a_partition_again(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    edited, again, _ = drained(deployment, instance, user, "edited", "again", "other")
    unlist(deployment, instance, kept=0)
    assert listed(instance) == set()
    submit(deployment, user, policy_text("Changed", 2), "edited.md")
    assert run_drain(deployment, instance).success
    assert run_partition(deployment, instance, again).success
    assert listed(instance) == {edited, again}
    assert materialized(instance, "finalized_chunks") == {edited, again}
    assert unlist(deployment, instance, kept=1) == {"deleted": 0, "finished": 1}
    assert listed(instance) == {again}


def test_deleted_documents_lose_their_partition_whoever_deleted_them(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    gone, stays = drained(deployment, instance, user, "gone", "stays")
    deployment.deletion.delete(gone, TEST)
    assert unlist(deployment, instance, kept=None) == {"deleted": 1, "finished": 0}
    assert listed(instance) == {stays}
    assert unlist(deployment, instance, kept=None) == {"deleted": 0, "finished": 0}


def test_an_unlisting_that_breaks_off_is_made_up_for(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    drained(deployment, instance, user, "one", "two")

    def break_off(*_: Any) -> None:
        raise ConnectionError

    job = definitions(deployment, retention=RetentionPolicy(partitions=0)).resolve_job_def("unlist_partitions")
    with monkeypatch.context() as patched:
        patched.setattr(unlisting, "unlist", break_off)
        assert not job.execute_in_process(instance=instance, raise_on_error=False).success
    assert unlist(deployment, instance, kept=0) == {"deleted": 0, "finished": 2}
    assert listed(instance) == set()


def test_documents_are_unlisted_in_batches(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished = drained(deployment, instance, user, "one", "two", "three", "four")
    monkeypatch.setattr(unlisting, "BATCH_SIZE", 2)
    assert unlist(deployment, instance, kept=1) == {"deleted": 0, "finished": 3}
    assert listed(instance) == {finished[3]}


def test_a_purge_leaves_the_state_of_every_listed_document_as_it_was(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    ids = drained(deployment, instance, user, "drained", "again", "in part")
    assert run_partition(deployment, instance, ids[1]).success
    assert run_partition(deployment, instance, ids[2], asset_selection=[dg.AssetKey("finalized_chunks")]).success
    dead = arrive(deployment, user, "dead")
    run_partition(failing(deployment, PermanentError("corrupt"), 1), instance, dead)
    mended = arrive(deployment, user, "mended")
    run_partition(
        failing(deployment, TransientError("unexpected", error="OSError", place="a test"), 1), instance, mended
    )
    assert run_drain(deployment, instance, until_empty=True).success
    before = {name: partition_states(instance, name) for name in NAMES}
    shown = {(name, key): materialization(instance, name, key) for name in NAMES for key in [*ids, mended]}
    assert before["parsed_markdown"]["failed"] == {str(dead)}
    assert purge(deployment, instance) > 0
    instance.wipe_asset_cached_status([dg.AssetKey(name) for name in NAMES])
    assert {name: partition_states(instance, name) for name in NAMES} == before
    assert {(name, key): materialization(instance, name, key) for name, key in shown} == shown


def test_a_run_goes_when_later_ones_have_done_its_work_again(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    [document_id] = drained(deployment, instance, user, "policy")
    first = run_partition(deployment, instance, document_id).run_id
    second = run_partition(deployment, instance, document_id).run_id
    purge(deployment, instance)
    assert not instance.has_run(first)
    assert instance.has_run(second)


CHECKS_OF_A_RUN = 2
"""Those of its chunks and of its vectors."""


def test_the_runs_of_an_unlisted_document_go_and_leave_nothing(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    old = arrive(deployment, user, "old")
    run_id = run_partition(deployment, instance, old).run_id
    run_partition(deployment, instance, arrive(deployment, user, "new"))
    unlist(deployment, instance, kept=1)
    purge(deployment, instance)
    assert not instance.has_run(run_id)
    assert not instance.all_logs(run_id)
    checked = [instance.event_log_storage.get_asset_check_execution_history(key, limit=100) for key in CHECK_KEYS]
    assert all(result.run_id != run_id for results in checked for result in results)
    assert sum(map(bool, checked)) == CHECKS_OF_A_RUN


def test_neither_young_nor_unfinished_runs_go(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    [document_id] = drained(deployment, instance, user, "policy")
    run_partition(deployment, instance, document_id)
    job = definitions(deployment).resolve_job_def("drain_queue")
    unfinished = [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
    alive = {instance.create_run_for_job(job_def=job, status=status).run_id for status in unfinished}
    assert purge(deployment, instance, NOTHING_IS_OLD) == 0
    assert purge(deployment, instance, RetentionPolicy(history=None)) == 0
    assert purge(deployment, instance) > 0
    assert alive < set(instance.get_run_ids())


def test_a_backfill_under_way_keeps_its_partitions_and_its_runs(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    [document_id] = drained(deployment, instance, user, "policy")
    backfilled = run_partition(deployment, instance, document_id, tags={BACKFILL_ID_TAG: "backfill"}).run_id
    run_partition(deployment, instance, document_id)
    arguments: dict[str, Any] = {"from_failure": False, "tags": {}, "backfill_timestamp": 0.0}
    backfill = PartitionBackfill("backfill", BulkActionStatus.REQUESTED, **arguments)
    instance.add_backfill(backfill)
    assert not tick(hourly_unlisting, deployment, instance, RetentionPolicy(partitions=0))
    purge(deployment, instance)
    assert instance.has_run(backfilled)
    instance.update_backfill(PartitionBackfill("backfill", BulkActionStatus.COMPLETED_SUCCESS, **arguments))
    assert tick(hourly_unlisting, deployment, instance, RetentionPolicy(partitions=0))
    purge(deployment, instance)
    assert not instance.has_run(backfilled)


def test_the_runs_of_other_projects_on_the_instance_stay(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    @dg.asset
    def theirs() -> None: ...

    project = dg.Definitions([theirs], jobs=[dg.define_asset_job("their_job")])
    by_asset = project.resolve_implicit_global_asset_job_def()
    by_job = project.resolve_job_def("their_job")
    kept = {
        by_asset.execute_in_process(instance=instance, asset_selection=[theirs.key]).run_id,
        by_job.execute_in_process(instance=instance).run_id,
    }
    purge(deployment, instance)
    assert kept <= set(instance.get_run_ids())


def test_the_purge_knows_every_job_of_the_project(deployment: Deployment) -> None:
    jobs = {job.name for job in definitions(deployment).resolve_all_job_defs()}
    assert jobs - {"__ASSET_JOB"} == set(JOBS)


def test_runs_that_were_started_from_the_assets_go_too(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    [document_id] = drained(deployment, instance, user, "policy")
    job = definitions(deployment).resolve_implicit_global_asset_job_def()
    chosen = [dg.AssetKey(name) for name in NAMES]
    first, second = (
        job.execute_in_process(partition_key=str(document_id), instance=instance, asset_selection=chosen).run_id
        for _ in range(2)
    )
    purge(deployment, instance)
    assert not instance.has_run(first)
    assert instance.has_run(second)


def test_the_hour_asks_for_an_unlisting_only_where_there_is_something_to_unlist(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    [gone, _] = drained(deployment, instance, user, "one", "two")
    assert tick(hourly_unlisting, deployment, instance, RetentionPolicy(partitions=1))
    assert not tick(hourly_unlisting, deployment, instance, RetentionPolicy(partitions=2))
    deployment.deletion.delete(gone, TEST)
    assert tick(hourly_unlisting, deployment, instance, RetentionPolicy(partitions=None))


def test_the_day_asks_for_a_purge_unless_runs_are_kept_for_ever(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    assert tick(daily_purge, deployment, instance, NOTHING_IS_OLD)
    assert not tick(daily_purge, deployment, instance, RetentionPolicy(history=None))


def test_nothing_in_the_settings_means_everything() -> None:
    assert Settings(partitions_kept=0, dagster_retention_days=0).retention == RetentionPolicy(None, None)
    assert Settings().retention == RetentionPolicy()


def test_an_interrupted_deletion_is_finished_by_the_schedule(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    [gone] = drained(deployment, instance, user, "one")
    deployment.deletions.delete(gone, TEST)
    assert deployment.objects.count_below(folder_key(user, gone)) == 2
    assert tick(look_after_deletions, deployment, instance, NOTHING_IS_OLD)
    assert run_job(deployment, instance, "finish_deleted", NOTHING_IS_OLD) == {
        "confirmed": 1,
        "incomplete": 0,
        "destroyed_keys": 0,
    }
    assert deployment.objects.count_below(folder_key(user, gone)) == 0
    assert not tick(look_after_deletions, deployment, instance, NOTHING_IS_OLD)


def test_what_providers_keep_of_deleted_documents_is_removed_by_the_schedule(
    database_url: str, tmp_path: Path, instance: dg.DagsterInstance, user: UserId
) -> None:
    with LlamaCloudEmulator() as service:
        key, url = SecretStr(KEY), SecretStr(database_url)
        deployment = Deployment(
            Settings(home=tmp_path, database_url=url, llama_cloud_api_key=key, llama_cloud_base_url=service.url)
        )
        document = deployment.documents.find(arrive(deployment, user, "one"))
        assert document is not None
        assert not tick(look_after_remote_jobs, deployment, instance, NOTHING_IS_OLD)
        deployment.remote_jobs.prepare(document, Producer("llamacloud", "1"), None, UUID(int=7))
        deployment.remote_jobs.remember(document, Producer("llamacloud", "1"), "gone-already")
        deployment.deletion.delete(document.document_id, TEST)
        assert tick(look_after_remote_jobs, deployment, instance, NOTHING_IS_OLD)
        job = definitions(deployment).resolve_job_def("settle_remote_jobs")
        at_it = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        assert not tick(look_after_remote_jobs, deployment, instance, NOTHING_IS_OLD)
        later = deployment.replacing(clock=Later(timedelta(hours=2)))
        assert tick(look_after_remote_jobs, later, instance, NOTHING_IS_OLD), "a dead run does not stop it for ever"
        instance.report_run_failed(at_it)
        assert run_job(deployment, instance, "settle_remote_jobs", NOTHING_IS_OLD) == {
            "billed": 0,
            "removed": 1,
            "waiting": 0,
        }
        assert not tick(look_after_remote_jobs, deployment, instance, NOTHING_IS_OLD)
        deployment.close()


def test_the_sweep_tells_what_it_removed_and_what_it_found(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, settings: Settings
) -> None:
    submit(deployment, user, policy_text())
    deployment.objects.put(f"{user}/{UUID(int=7)}/{'0' * 64}", b"orphan")
    hurried = Deployment(settings.model_copy(update={"unnamed_object_hours": 1e-9})).replacing()
    try:
        found = run_job(hurried, instance, "sweep_store", NOTHING_IS_OLD)
    finally:
        hurried.close()
    assert (found["removed_objects"], found["removed_bytes"], found["objects"]) == (1, 6, 1)
    assert (found["foreign"], found["incomplete_documents"], found["orphaned_left"]) == (0, 0, 0)
