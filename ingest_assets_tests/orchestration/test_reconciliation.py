"""What Dagster shows of documents whose run died comes to agree with the queue."""

import dagster as dg

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.orchestration.reconciliation import reconcile_dagster
from ingest_assets.orchestration.schedules import look_after_dagster
from ingest_assets_tests.documents import ingest, policy_text, submit
from ingest_assets_tests.orchestration.runs import NAMES, definitions, partition_states, run_drain


def minute(deployment: Deployment, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    loaded = definitions(deployment)
    with dg.build_schedule_context(
        instance=instance, repository_def=loaded.get_repository_def(), resources=loaded.resources or {}
    ) as context:
        return list(look_after_dagster.evaluate_tick(context).run_requests or [])


def reconcile(deployment: Deployment, instance: dg.DagsterInstance) -> dict[str, int]:
    job = definitions(deployment).resolve_job_def(reconcile_dagster.name)
    return dict(job.execute_in_process(instance=instance).output_for_node("reconcile_with_queue"))


def planned_run(deployment: Deployment, instance: dg.DagsterInstance, document_id: DocumentId) -> dg.DagsterRun:
    """A run of a document's partition that has not begun."""
    job = definitions(deployment).resolve_job_def("ingest_document")
    return instance.create_run_for_job(
        job_def=job,
        tags={"dagster/partition": str(document_id)},
        asset_selection=frozenset(job.asset_layer.executable_asset_keys),
    )


def test_a_finished_document_whose_last_run_died_turns_green(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    assert run_drain(deployment, instance, until_empty=True).success
    instance.report_run_failed(planned_run(deployment, instance, document_id))
    assert partition_states(instance, NAMES[-1])["failed"] == {str(document_id)}
    assert len(minute(deployment, instance)) == 1
    assert reconcile(deployment, instance) == {"documents": 1, "backfills": 0}
    for name in NAMES:
        assert partition_states(instance, name) == {"materialized": {str(document_id)}, "failed": set()}
    assert minute(deployment, instance) == []


def test_a_document_that_is_being_worked_on_again_is_left_alone(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    assert run_drain(deployment, instance, until_empty=True).success
    instance.report_run_failed(planned_run(deployment, instance, document_id))
    planned_run(deployment, instance, document_id)
    assert minute(deployment, instance) == []


def test_a_document_that_is_not_finished_stays_failed(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    instance.add_dynamic_partitions("documents", [str(document_id)])
    instance.report_run_failed(planned_run(deployment, instance, document_id))
    assert minute(deployment, instance) == []
    assert partition_states(instance, NAMES[-1])["failed"] == {str(document_id)}


def test_what_a_killed_worker_has_finished_and_not_reported_is_reported_without_new_work(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = ingest(deployment, user, policy_text())
    with deployment.database.connection() as connection:
        connection.execute("UPDATE upload_pipeline.upload_jobs SET finished_at = now() - interval '2 minutes'")
    assert len(minute(deployment, instance)) == 1
    reconcile(deployment, instance)
    assert partition_states(instance, NAMES[-1])["materialized"] == {str(document_id)}
    assert minute(deployment, instance) == []
