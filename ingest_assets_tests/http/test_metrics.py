"""What Prometheus reads of a real `ingest serve`, and who may."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.metrics import METRICS, Kind
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.http.api import SECRET, Api, assert_problem, serving
from ingest_assets_tests.http.process import serve

TOKEN = "a token of forty-one characters, no less."  # noqa: S105
WITH_TOKEN = {"Authorization": f"Bearer {TOKEN}"}


def parsed(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Samples by name and labels."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


@pytest.fixture
def http_settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"jwt_secret": SecretStr(SECRET), "metrics_token": SecretStr(TOKEN)})


@pytest.fixture
def open_api(deployment: Deployment, user: UserId) -> Iterator[Api]:
    with serving(deployment, user) as served:
        yield served


def test_a_real_service_tells_prometheus_what_it_knows(database_url: str, user: UserId, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text(f"{TOKEN}\n")
    with serve(database_url, tmp_path, INGEST_METRICS_TOKEN_FILE=str(secret), INGEST_BUDGET_USD_PER_DAY="5") as served:
        assert served.submit(user, policy_text("Zebra").encode(), "zebra.md").status_code == 202
        answer = httpx.get(f"{served.url}/metrics", headers=WITH_TOKEN, timeout=60, trust_env=False)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found = parsed(answer.text)
    assert found["ingest_database_up"] == {(): 1}
    assert found["ingest_jobs"] == {
        (("stage", "queued"), ("state", "queued")): 1,
        (("stage", "embedded"), ("state", "done")): 0,
    }
    assert found["ingest_documents_queued_total"] == {(): 1}
    assert found["ingest_budget_limit_usd"] == {(): 5}
    assert found["ingest_http_requests_total"][(("status", "2xx"),)] == 1
    assert found["process_resident_memory_bytes"][()] > 1e6
    assert str(user) not in answer.text
    assert "zebra" not in answer.text.lower()


def test_every_family_of_an_answer_has_the_help_and_the_kind_that_is_written_down(open_api: Api) -> None:
    text = open_api.plainly("GET", "/metrics", headers=WITH_TOKEN).text
    told = {family.name: (family.type, family.documentation) for family in text_string_to_metric_families(text)}
    known = {
        metric.name.removesuffix("_total") if metric.kind is Kind.COUNTER else metric.name: (
            metric.kind.value,
            metric.help,
        )
        for metric in METRICS
    }
    ours = {name: each for name, each in told.items() if name.startswith("ingest_")}
    assert ours.items() <= known.items()


def test_a_users_token_does_not_read_the_metrics(open_api: Api) -> None:
    refused = open_api("GET", "/metrics")
    assert_problem(refused, 401, "metrics_refused")
    assert_problem(open_api.plainly("GET", "/metrics"), 401, "metrics_refused")
    for given in (f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}.", b"Bearer \xfc"):
        refused = open_api.plainly("GET", "/metrics", headers={"Authorization": given})
        assert_problem(refused, 401, "metrics_refused")


def test_without_a_token_nobody_reads_the_metrics(deployment: Deployment, user: UserId) -> None:
    with serving(deployment, user, metrics_token=None) as api:
        for headers in ({}, WITH_TOKEN, {"Authorization": "Bearer None"}):
            assert_problem(api.plainly("GET", "/metrics", headers=headers), 403, "metrics_closed")


def test_metrics_are_told_while_the_database_is_away(deployment: Deployment, user: UserId, tmp_path: Path) -> None:
    nowhere = SecretStr(f"postgresql:///nowhere?host={tmp_path}&sslmode=disable")
    away = Deployment(deployment.settings.model_copy(update={"database_url": nowhere}))
    try:
        with serving(deployment, user, collect_metrics=away.measuring.collect) as api:
            found = parsed(api.plainly("GET", "/metrics", headers=WITH_TOKEN).text)
    finally:
        away.close()
    assert found["ingest_database_up"] == {(): 0}
    assert found["ingest_disk_free_bytes"]
    assert "ingest_jobs" not in found


@pytest.mark.parametrize("name", ["ingest_documents_finished_total", "ingest_provider_calls_total"])
def test_a_counter_that_has_counted_nothing_is_there_by_its_kind(open_api: Api, name: str) -> None:
    assert f"# TYPE {name} counter" in open_api.plainly("GET", "/metrics", headers=WITH_TOKEN).text
