"""What a person sees and can do, one document at a time."""

from dataclasses import replace
from datetime import timedelta

import dagster as dg
import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError, TransientError
from ingest_assets.domain.queue.stages import Stage, State
from ingest_assets.orchestration.claims import CLAIM_TAG, DEAD_LETTER_TAG
from ingest_assets_tests.documents import drain_all, ingest, policy_text, submit
from ingest_assets_tests.orchestration.runs import NAMES, failed_partitions, materialization, run_drain, run_partition
from ingest_assets_tests.pipeline.test_failures import failing

LEASE = timedelta(seconds=30)


def failure_of(result: dg.ExecuteInProcessResult) -> str:
    [event] = result.filter_events(lambda event: event.is_step_failure)
    error = event.step_failure_data.error
    assert error is not None
    return str(error)


def test_a_run_takes_a_document_to_the_end(deployment: Deployment, instance: dg.DagsterInstance, user: UserId) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    result = run_partition(deployment, instance, document_id)
    assert result.success
    status = deployment.documents.status(document_id)
    assert status is not None
    assert (status.stage, status.state, status.searchable) == (Stage.EMBEDDED, State.DONE, True)
    assert len(result.get_asset_check_evaluations()) == 2
    assert all(check.passed for check in result.get_asset_check_evaluations())


def test_metadata_tells_counts_hashes_durations_and_models(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    run_partition(deployment, instance, document_id)
    told = {name: set(materialization(instance, name, document_id).metadata) for name in NAMES}
    assert told["parsed_markdown"] >= {"characters", "text_sha", "parser", "parser_version", "seconds"}
    assert told["chunks"] >= {"chunks", "chunker", "chunker_version", "seconds"}
    assert told["embeddings"] >= {"texts_embedded", "texts_reused", "tokens", "model", "model_version", "seconds"}
    assert told["finalized_chunks"] >= {"chunks", "version", "model", "seconds"}


def test_a_failing_document_is_a_failed_partition_and_turns_green_after_its_retry(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    broken = failing(deployment, TransientError("storage_failed"), 1)
    document_id = submit(deployment, user, policy_text()).document_id
    assert not run_partition(broken, instance, document_id).success
    assert failed_partitions(instance, "parsed_markdown", deployment) == {str(document_id)}
    status = deployment.documents.status(document_id)
    assert status is not None
    assert (status.state, status.error_code) == (State.RETRYABLE, "storage_failed")
    assert run_partition(broken, instance, document_id).success
    assert failed_partitions(instance, "parsed_markdown", deployment) == set()
    assert set(instance.get_materialized_partitions(dg.AssetKey("finalized_chunks"))) == {str(document_id)}


def test_a_drain_run_clears_the_failure_of_a_partition_run(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    run_partition(failing(deployment, TransientError("storage_failed"), 1), instance, document_id)
    assert run_drain(
        deployment.replacing(retry_policy=replace(deployment.retry_policy)), instance, until_empty=True
    ).success
    assert failed_partitions(instance, "parsed_markdown", deployment) == set()


def test_a_failure_shows_its_code_and_what_to_do_and_nothing_else(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    broken = failing(deployment, ValueError("Jane Roe, born 1970"), 9)
    result = run_partition(broken, instance, document_id)
    assert "unexpected" in failure_of(result)
    assert "Jane Roe" not in str(instance.all_logs(result.run_id))


def test_a_partition_of_no_document_fails_with_its_code(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    assert "unknown_document" in failure_of(run_partition(deployment, instance, "not-a-uuid"))


def test_a_document_that_another_worker_holds_is_left_alone(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    [job] = deployment.claims.claim("somebody", 1, LEASE)
    assert "claimed_elsewhere" in failure_of(run_partition(deployment, instance, document_id))
    assert deployment.claims.hold(document_id, "somebody", LEASE) == job


def test_a_run_that_the_queue_started_works_under_the_queues_claim(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    deployment.claims.claim("run-7", 1, LEASE)
    assert run_partition(deployment, instance, document_id, tags={CLAIM_TAG: "run-7"}).success


def test_a_finished_document_can_be_materialized_again_and_pays_nothing(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = ingest(deployment, user, policy_text())
    assert run_partition(deployment, instance, document_id).success
    metadata = materialization(instance, "embeddings", document_id).metadata
    assert metadata["texts_embedded"].value == 0


@pytest.mark.parametrize("chosen", NAMES)
def test_one_asset_of_a_finished_document_can_be_materialized_by_itself(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, chosen: str
) -> None:
    document_id = ingest(deployment, user, policy_text())
    result = run_partition(deployment, instance, document_id, asset_selection=[dg.AssetKey(chosen)])
    assert result.success
    status = deployment.documents.status(document_id)
    assert status is not None
    assert status.state is (State.DONE if chosen == "finalized_chunks" else State.QUEUED)
    drain_all(deployment)
    status = deployment.documents.status(document_id)
    assert status is not None
    assert (status.state, status.searchable) == (State.DONE, True)


def test_an_asset_whose_upstream_was_never_made_says_so(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    result = run_partition(deployment, instance, document_id, asset_selection=[dg.AssetKey("embeddings")])
    assert "upstream_missing" in failure_of(result)
    status = deployment.documents.status(document_id)
    assert status is not None
    assert status.state is State.QUEUED


def test_a_dead_letter_of_a_drain_run_is_shown_as_a_failed_partition(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = ingest(failing(deployment, PermanentError("corrupt"), 1), user, policy_text())
    with deployment.reports.dead_letters(5) as unreported:
        assert unreported == [document_id]
    with deployment.reports.dead_letters(5) as unreported:
        assert unreported == []
    result = run_partition(deployment, instance, document_id, tags={DEAD_LETTER_TAG: "shown"})
    assert "corrupt" in failure_of(result)
    assert failed_partitions(instance, "parsed_markdown", deployment) == {str(document_id)}
    status = deployment.documents.status(document_id)
    assert status is not None
    assert status.state is State.DEADLETTER


def test_dagster_learns_neither_names_nor_text(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text("Canarywort"), "canary-name.md").document_id
    result = run_partition(deployment, instance, document_id)
    assert result.success
    everything = str(instance.all_logs(result.run_id)).lower()
    assert "canary" not in everything
    assert str(document_id) in everything
