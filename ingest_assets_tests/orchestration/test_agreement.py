"""What Dagster shows of documents is compared with what it has been told."""

from datetime import timedelta
from uuid import uuid4

import dagster as dg
import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.integrity import OF_DAGSTER
from ingest_assets.domain.queue.retry_policy import GiveUp
from ingest_assets.orchestration.agreement import ShownPartitions
from ingest_assets.orchestration.instance import unlist
from ingest_assets.orchestration.queue import dead_letter_runs
from ingest_assets.pipeline.ports.checking import Inspection
from ingest_assets_tests.contracts.checking_contract import InspectionContract
from ingest_assets_tests.contracts.claiming_contract import CORRUPT
from ingest_assets_tests.contracts.reporting_contract import report
from ingest_assets_tests.documents import TEST, claim_one, ingest, policy_text, submit
from ingest_assets_tests.orchestration.runs import definitions, run_drain, run_partition


class TestShownPartitions(InspectionContract):
    @pytest.fixture
    def inspection(self, deployment: Deployment, instance: dg.DagsterInstance) -> Inspection:
        return shown(deployment, instance)


def shown(deployment: Deployment, instance: dg.DagsterInstance) -> ShownPartitions:
    return ShownPartitions(instance, deployment.told_outcomes, timedelta(0))


def found(deployment: Deployment, instance: dg.DagsterInstance) -> dict[str, tuple[DocumentId, ...]]:
    return {finding.kind: finding.document_ids for finding in shown(deployment, instance).inspect()}


def dead_letter(deployment: Deployment, user: UserId) -> DocumentId:
    document_id = submit(deployment, user, policy_text("Dead"), "dead.md").document_id
    deployment.claims.settle(claim_one(deployment), GiveUp(), CORRUPT, reported=False)
    return document_id


def show_dead_letters(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    job = definitions(deployment).resolve_job_def("ingest_document")
    for request in dead_letter_runs(deployment.reports, instance, 9):
        key, tags = request.partition_key, dict(request.tags)
        job.execute_in_process(partition_key=key, instance=instance, raise_on_error=False, tags=tags)


def test_both_ways_through_dagster_show_what_they_told(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    one = submit(deployment, user, policy_text("One"), "one.md").document_id
    assert run_partition(deployment, instance, one).success
    submit(deployment, user, policy_text("Two"), "two.md")
    assert run_drain(deployment, instance).success
    dead_letter(deployment, user)
    show_dead_letters(deployment, instance)
    deployment.operations.refresh([one], TEST)
    assert run_drain(deployment, instance).success
    assert found(deployment, instance) == {}


def test_every_disagreement_is_found_here(deployment: Deployment, instance: dg.DagsterInstance, user: UserId) -> None:
    unshown = ingest(deployment, user, policy_text("Unshown"), "unshown.md")
    report(deployment)
    hidden = dead_letter(deployment, user)
    deployment.reports.dead_letter_shown(hidden)
    unknown = DocumentId(uuid4())
    instance.add_dynamic_partitions("documents", [str(unknown), "a note"])
    instance.report_runless_asset_event(dg.AssetMaterialization("finalized_chunks", partition=str(unknown)))
    expected = {"shown_unfinished": (unshown,), "shown_unknown": (unknown,), "failure_hidden": (hidden,)}
    assert found(deployment, instance) == expected
    assert expected.keys() == {invariant.name for invariant in OF_DAGSTER}


def test_a_document_that_is_shown_as_failed_after_it_was_done_is_found(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, "# Note\n\nText.").document_id
    deployment.objects.delete_below(f"{user}/{document_id}")
    assert not run_partition(deployment, instance, document_id).success
    assert found(deployment, instance) == {}
    submit(deployment, user, policy_text("Newer"))
    ingest(deployment, user, policy_text("Newest"))
    report(deployment)
    assert found(deployment, instance) == {"shown_unfinished": (document_id,)}


def test_deleted_documents_are_shown_until_they_are_unlisted(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    assert run_drain(deployment, instance).success
    deployment.deletion.delete(document_id, TEST)
    assert found(deployment, instance) == {}
    with deployment.partitions.deleted(9):
        pass
    assert found(deployment, instance) == {"shown_unknown": (document_id,)}
    unlist(instance, [str(document_id)])
    assert found(deployment, instance) == {}


def test_what_dagster_has_had_no_time_to_show_is_not_found(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    ingest(deployment, user, policy_text())
    report(deployment)
    patient = ShownPartitions(instance, deployment.told_outcomes, timedelta(minutes=1))
    assert list(patient.inspect()) == []
