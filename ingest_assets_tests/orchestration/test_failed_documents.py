"""The page of a drain run names every document that failed in it."""

from collections.abc import Sequence
from typing import Any

import dagster as dg
import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError, TransientError
from ingest_assets.orchestration import failed_documents
from ingest_assets_tests.documents import policy_text, submit
from ingest_assets_tests.orchestration.runs import run_drain
from ingest_assets_tests.pipeline.test_failures import failing


def metadata_of(result: dg.ExecuteInProcessResult) -> dict[str, Any]:
    """What the page shows about the output."""
    [event] = result.filter_events(lambda event: event.is_successful_output)
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def records_of(result: dg.ExecuteInProcessResult) -> Sequence[Any]:
    [event] = result.filter_events(lambda event: event.is_successful_output)
    table = event.step_output_data.metadata["failures"]
    assert isinstance(table, dg.TableMetadataValue)
    return [record.data for record in table.records]


def warnings_of(instance: dg.DagsterInstance, result: dg.ExecuteInProcessResult) -> list[str]:
    return [each.user_message for each in instance.all_logs(result.run_id) if each.level == 30]


def test_each_failed_document_is_named_with_its_code_and_the_command_that_works(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    ids = [
        submit(deployment, user, policy_text(f"Canary {number}", 2), f"canary {number}.md").document_id
        for number in range(3)
    ]
    result = run_drain(failing(deployment, PermanentError("needs_ocr"), 2), instance)
    told = metadata_of(result)
    assert (told["done"], told["failed"], told["failed_documents"]) == (1, 2, 2)
    records = records_of(result)
    for record in records:
        assert record["document"] in set(map(str, ids))
        assert (record["code"], record["afterwards"]) == ("needs_ocr", "failed")
        assert record["command"] == f"ingest submit --document {record['document']}"
    said = warnings_of(instance, result)
    assert len(said) == 2
    assert all(any(record["document"] in line and record["command"] in line for line in said) for record in records)
    assert "anary" not in str(instance.all_logs(result.run_id))


def test_a_document_that_became_searchable_after_all_needs_no_command(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    submit(deployment, user, policy_text())
    result = run_drain(failing(deployment, TransientError("parser_crashed"), 1), instance, until_empty=True)
    [record] = records_of(result)
    assert (record["afterwards"], record["command"]) == ("searchable", "")


def test_no_more_than_some_are_named_and_all_are_counted(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failed_documents, "MOST_NAMED", 2)
    for number in range(4):
        submit(deployment, user, policy_text(f"Subject {number}", 1), f"{number}.md")
    result = run_drain(failing(deployment, PermanentError("needs_ocr"), 4), instance)
    told = metadata_of(result)
    assert (told["failed_documents"], told["named"], len(records_of(result))) == (4, 2, 2)
    assert len(warnings_of(instance, result)) == 2


def test_a_run_without_failures_shows_no_table(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    submit(deployment, user, policy_text())
    assert "failures" not in metadata_of(run_drain(deployment, instance))
