"""Somebody who may start runs on Dagster's page tries to have the history name somebody else."""

from typing import Any
from uuid import uuid4

import dagster as dg
import psycopg
import pytest
from psycopg import sql

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.roles import Role
from ingest_assets.orchestration.claims import CLAIM_TAG
from ingest_assets.settings import login_url
from ingest_assets_tests.documents import LEASE, policy_text, submit
from ingest_assets_tests.orchestration.runs import run_drain, run_partition
from ingest_assets_tests.orchestration.test_partition_runs import failure_of
from ingest_assets_tests.orchestration.test_queue import tick


def names_in_history(deployment: Deployment, document_id: DocumentId) -> set[str]:
    """All but the one who submitted it."""
    events = deployment.documents.history(document_id)
    return {name for event in events for name in (event.actor, event.correlation_id or "")} - {"test", "a test"}


@pytest.mark.parametrize(
    "claim",
    [
        "ingest delete",
        "http",
        "somebody\n2026-01-01 \x1b[31mforged\x1b[0m",
        "run-8bebfb5b-f5ee-487d-93ef-efee29233f10",
        "x" * 10_000,
    ],
)
def test_a_claim_that_the_queue_never_gave_is_not_believed(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, claim: str
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    run = run_partition(deployment, instance, document_id, tags={CLAIM_TAG: claim})
    assert run.success
    assert names_in_history(deployment, document_id) == {run.run_id}


def test_a_claim_on_another_document_is_not_believed(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    submit(deployment, user, policy_text())
    [request] = tick(deployment, instance)
    other = submit(deployment, user, policy_text("Optical"), "optical.md").document_id
    run = run_partition(deployment, instance, other, tags=dict(request.tags))
    assert run.success
    assert names_in_history(deployment, other) == {run.run_id}


def test_the_claim_of_a_whole_worker_is_not_believed_in_a_run_of_one_document(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    worker = str(uuid4())
    deployment.claims.claim(worker, 1, LEASE)
    run = run_partition(deployment, instance, document_id, tags={CLAIM_TAG: worker})
    assert "claimed_elsewhere" in failure_of(run)
    assert names_in_history(deployment, document_id) == {worker}


def test_the_claim_of_another_run_is_not_believed_even_if_that_run_is_over(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    [request] = tick(deployment, instance)
    tags = dict(request.tags)
    assert run_partition(deployment, instance, document_id, tags=tags).success
    assert names_in_history(deployment, document_id) == {tags[CLAIM_TAG]}
    copy = run_partition(deployment, instance, document_id, tags=tags)
    assert copy.success
    assert names_in_history(deployment, document_id) == {tags[CLAIM_TAG], copy.run_id}


@pytest.mark.parametrize("column", ["actor", "correlation_id"])
@pytest.mark.parametrize("name", ["", "a\nb", "a\x1b[31mb", "ä", "x" * 101, "<b>"])
def test_the_schema_takes_no_other_names_from_anybody(database_url: str, column: str, name: str) -> None:
    values: dict[str, Any] = {"actor": "test", "correlation_id": "a test"} | {column: name}
    statement = sql.SQL(
        "INSERT INTO upload_pipeline.events"
        " (document_id, job_id, user_id, version, stage, state, actor, correlation_id)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 'queued', 'queued', %s, %s)"
    )
    with psycopg.connect(login_url(database_url, Role.WORKER)) as connection:
        connection.execute(statement, ["test", "a test"])
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(statement, [values["actor"], values["correlation_id"]])


def test_a_drain_run_is_named_by_its_id(deployment: Deployment, instance: dg.DagsterInstance, user: UserId) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    run = run_drain(deployment, instance)
    assert names_in_history(deployment, document_id) == {run.run_id}
