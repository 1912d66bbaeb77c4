"""What a person sees and can do, one document at a time."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import dagster as dg
import pytest
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError, ResourceError, TransientError
from ingest_assets.domain.queue.stages import Stage, State
from ingest_assets.orchestration.checks.of_documents import chunks_are_complete, every_chunk_has_a_vector
from ingest_assets.orchestration.claims import CLAIM_TAG, DEAD_LETTER_TAG, REPEATS_TAG
from ingest_assets_tests.documents import drain_all, ingest, policy_text, submit
from ingest_assets_tests.orchestration.runs import (
    NAMES,
    failed_partitions,
    materialization,
    partition_states,
    run_drain,
    run_partition,
)
from ingest_assets_tests.pipeline.test_failures import failing
from ingest_assets_tests.sample_files import scanned_pdf

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


def test_metadata_counts_what_could_not_be_read(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, scanned_pdf("The walrus is covered."), "scan.pdf").document_id
    run_partition(deployment, instance, document_id)
    told = materialization(instance, "parsed_markdown", document_id).metadata
    assert (told["warnings"].value, told["pages_without_text"].value) == (1, 1)


def test_a_failing_document_is_a_failed_partition_and_turns_green_after_its_retry(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    broken = failing(deployment, TransientError("unexpected", error="OSError", place="a test"), 1)
    document_id = submit(deployment, user, policy_text()).document_id
    assert not run_partition(broken, instance, document_id).success
    assert failed_partitions(instance, "parsed_markdown", deployment) == {str(document_id)}
    status = deployment.documents.status(document_id)
    assert status is not None
    assert (status.state, status.error_code) == (State.RETRYABLE, "unexpected")
    assert run_partition(broken, instance, document_id).success
    assert failed_partitions(instance, "parsed_markdown", deployment) == set()
    assert set(instance.get_materialized_partitions(dg.AssetKey("finalized_chunks"))) == {str(document_id)}


def test_a_failed_document_turns_one_asset_red_and_not_the_whole_lineage(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    old = submit(deployment, user, policy_text()).document_id
    assert run_partition(deployment, instance, old).success
    assert submit(deployment, user, policy_text("Glass")).document_id == old
    broken = failing(deployment, PermanentError("corrupt"), 2)
    new = submit(deployment, user, policy_text("Hail"), "hail.md").document_id
    for document_id in (old, new):
        assert not run_partition(broken, instance, document_id).success
    states = {name: partition_states(instance, name) for name in NAMES}
    assert [len(states[name]["failed"]) for name in NAMES] == [2, 0, 0, 0]
    assert states["finalized_chunks"]["materialized"] == {str(old)}
    checks = [check.check_key for check in (chunks_are_complete, every_chunk_has_a_vector)]
    evaluated = instance.event_log_storage.get_latest_asset_check_execution_by_key(checks)
    assert {key: found.status for key, found in evaluated.items()} == dict.fromkeys(
        checks, AssetCheckExecutionRecordStatus.SUCCEEDED
    )


def test_a_drain_run_clears_the_failure_of_a_partition_run(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    run_partition(
        failing(deployment, TransientError("unexpected", error="OSError", place="a test"), 1), instance, document_id
    )
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


def shown(result: dg.ExecuteInProcessResult) -> dict[str, str]:
    """The metadata of the failure that the page of the run shows."""
    [event] = result.filter_events(lambda event: event.is_step_failure)
    told = event.step_failure_data.user_failure_data
    assert told is not None
    assert told.description == str(event.step_failure_data.error_display_string).strip()
    return {name: str(value.value) for name, value in told.metadata.items()}


def test_a_failed_partition_shows_the_reason_and_the_command_that_works_without_a_traceback(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    broken = failing(deployment, PermanentError("needs_ocr"), 1)
    result = run_partition(broken, instance, document_id)
    told = shown(result)
    assert (told["code"], told["message"]) == ("needs_ocr", "The document is a scan without text.")
    assert "Waiting does not help" in told["hint"]
    assert told["command"] == f"ingest submit --document {document_id}"
    [event] = result.filter_events(lambda event: event.is_step_failure)
    error = event.step_failure_data.error
    assert error is not None
    assert (error.stack, error.cause, error.context) == ([], None, None)
    assert error.message.startswith("needs_ocr: The document is a scan without text.")
    assert told["command"] in error.message


def test_a_failed_partition_that_is_tried_again_says_when(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    broken = failing(deployment, ResourceError("key_missing"), 1).replacing(retry_policy=deployment.retry_policy)
    told = shown(run_partition(broken, instance, document_id))
    assert told["hint"].startswith("Waiting alone does not help; once the cause is mended: it is tried again at ")
    assert told["command"] == f"ingest retry {document_id}"


def test_a_run_that_only_shows_a_dead_letter_says_what_the_failed_run_would_have_said(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    broken = failing(deployment, PermanentError("needs_ocr"), 9)
    by_drain = ingest(broken, user, policy_text())
    by_partition = submit(deployment, user, policy_text("Other"), "other.md").document_id
    of_drain = shown(run_partition(deployment, instance, by_drain, tags={DEAD_LETTER_TAG: "shown"}))
    of_partition = shown(run_partition(broken, instance, by_partition))
    assert {name: value.replace(str(by_drain), str(by_partition)) for name, value in of_drain.items()} == of_partition


def test_a_failure_that_is_not_the_documents_names_the_command_that_explains(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    deployment.claims.claim("somebody", 1, LEASE)
    assert shown(run_partition(deployment, instance, document_id))["command"] == f"ingest explain {document_id}"
    assert "command" not in shown(run_partition(deployment, instance, "not-a-uuid"))


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


def test_a_run_that_is_executed_again_does_not_share_the_claim_of_the_first(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    [job] = deployment.claims.claim("run-7", 1, LEASE)
    tags = {CLAIM_TAG: "run-7", REPEATS_TAG: str(uuid4())}
    assert "claimed_elsewhere" in failure_of(run_partition(deployment, instance, document_id, tags=tags))
    assert deployment.claims.hold(document_id, "run-7", LEASE) == job


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
