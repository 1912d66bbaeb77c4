"""`ingest metrics` prints once what Prometheus may measure."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.cli.in_process import Here
from ingest_assets_tests.documents import ingest, policy_text


@pytest.fixture
def here(
    deployment: Deployment, user: UserId, monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path
) -> Here:
    """With one document that is done."""
    ingest(deployment, user, policy_text("Zebra"), "zebra.md")
    return Here(monkeypatch, database_url, tmp_path / "home", user)


def test_the_text_is_what_prometheus_reads(here: Here, user: UserId) -> None:
    text = here.read("metrics")
    found = {family.name: family for family in text_string_to_metric_families(text)}
    [finished] = found["ingest_documents_finished"].samples
    assert finished.value == 1
    assert found["ingest_stage_seconds"].type == "histogram"
    assert str(user) not in text
    assert "zebra" not in text.lower()


def test_the_json_has_each_sample_with_its_labels(here: Here) -> None:
    samples = here("metrics")
    [done] = [each for each in samples if each["metric"] == "ingest_jobs"]
    assert done == {"metric": "ingest_jobs", "labels": {"stage": "embedded", "state": "done"}, "value": 1}
    buckets = [each["labels"]["le"] for each in samples if each["metric"] == "ingest_document_seconds"]
    assert "sum" in buckets
