"""A partition run and a drain run leave the same behind."""

from typing import Any
from uuid import UUID, uuid4

import dagster as dg
import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus, DocumentId, JobId, UserId
from ingest_assets.domain.queue.jobs import Event
from ingest_assets.pipeline.intake import IncomingFile
from ingest_assets.pipeline.stored_objects import arrived_content_key
from ingest_assets_tests.documents import TEST, drain_all, policy_text
from ingest_assets_tests.orchestration.runs import NAMES, materialization, run_drain, run_partition

DOCUMENT = DocumentId(UUID(int=42))


def submit_as(deployment: Deployment, user: UserId, document_id: DocumentId) -> None:
    content = policy_text().encode()
    arrival = deployment.intake.check(IncomingFile(content, "policy.md", "/documents/policy.md", user)).arrival
    deployment.objects.put(arrived_content_key(user, document_id, arrival.content_sha), content)
    place = Acceptance(document_id, JobId(uuid4()), AcceptanceStatus.QUEUED)
    assert deployment.intake_records.accept([arrival], [place], TEST) is not None


def without_time(payload: Any) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name != "seconds"}


def story(history: list[Event]) -> list[tuple[Any, ...]]:
    return [(event.version, event.stage, event.state, event.code, without_time(event.payload)) for event in history]


def committed_rows(deployment: Deployment) -> list[dict[str, Any]]:
    with deployment.database.connection() as connection:
        rows = connection.execute(
            "SELECT chunk_id, user_id, chunker_name, chunker_version, chunk_ord, title, heading_path, page,"
            " start_offset, end_offset, text, chunk_sha, embed_model, embed_version,"
            " vector_dim, embedding::text, full_text::text"
            " FROM upload_pipeline.document_chunks ORDER BY chunk_ord"
        ).fetchall()
    return [dict(row) for row in rows]


def test_a_partition_run_and_a_drain_run_leave_equal_rows_events_and_materializations(
    deployment: Deployment, other_deployment: Deployment, user: UserId
) -> None:
    for each in (deployment, other_deployment):
        submit_as(each, user, DOCUMENT)
    with dg.instance_for_test() as one, dg.instance_for_test() as other:
        assert run_partition(deployment, one, DOCUMENT).success
        assert run_drain(other_deployment, other).success
        for name in NAMES:
            by_run, by_drain = (materialization(instance, name, DOCUMENT) for instance in (one, other))
            assert by_run.partition == by_drain.partition
            metadata = [without_time(each.metadata) for each in (by_run, by_drain)]
            assert metadata[0] == metadata[1]
            assert metadata[0]
    rows = committed_rows(deployment)
    assert rows
    assert rows == committed_rows(other_deployment)
    assert story(deployment.documents.history(DOCUMENT)) == story(other_deployment.documents.history(DOCUMENT))


@pytest.mark.parametrize("count", [3, 40])
def test_a_drain_run_materializes_every_partition_of_all_four_assets(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, count: int
) -> None:
    for number in range(count):
        submit_as(deployment, UserId(UUID(int=number + 1)), DocumentId(UUID(int=number + 1)))
    assert run_drain(deployment, instance).success
    keys = {str(UUID(int=number + 1)) for number in range(count)}
    assert set(instance.get_dynamic_partitions("documents")) == keys
    for name in NAMES:
        assert set(instance.get_materialized_partitions(dg.AssetKey(name))) == keys


def test_what_a_dead_worker_did_not_report_the_next_one_reports(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    submit_as(deployment, user, DOCUMENT)
    drain_all(deployment)
    submit_as(deployment, UserId(UUID(int=2)), DocumentId(UUID(int=2)))
    assert run_drain(deployment, instance).success
    assert str(DOCUMENT) in instance.get_materialized_partitions(dg.AssetKey("finalized_chunks"))
