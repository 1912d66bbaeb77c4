"""A real Prometheus scrapes a real `ingest serve`: what is wrong there fires here, what is mended clears, and every
panel for Grafana finds what it asks for."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest
import yaml

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.conftest import TEMPLATE, _database, deployment_for, settings_for
from ingest_assets_tests.documents import drain_all, policy_text, submit
from ingest_assets_tests.http.process import serve
from ingest_assets_tests.monitoring.rules import RULES
from ingest_assets_tests.waiting import until
from monitoring.panels import DASHBOARDS, RANGE, RATE

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")

TOKEN = "a token of forty-one characters, no less."  # noqa: S105
EXPECTED = {"IngestDeadLettersAppear", "IngestNoWorker", "IngestBudgetSpent", "IngestBudgetNearlySpent"}
SPEND = """
INSERT INTO upload_pipeline.spending (budget, subject, day, micro_usd)
VALUES ('day', '00000000-0000-0000-0000-000000000000', (now() AT TIME ZONE 'UTC')::date, 5000000)
"""
CALLS = """
INSERT INTO upload_pipeline.paid_calls (service, user_id, outcome, tokens, estimated_micro_usd, expires_at, settled_at)
SELECT 'openai', gen_random_uuid(), unnest('{succeeded,failed}'::text[]), 100, 10, now(), now()
"""
NOTHING_HERE = {
    "Daemon last heard of": "there is no Dagster",
    "Backlog done in": "nothing may have been finished since Prometheus looks",
    "Retries a minute": "no attempt is retried",
    "Recall of the index": "nobody has measured it",
    "Errors passed over": "there are none",
}
"""Panels that may be without any series, and why."""


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """Run Prometheus with the project's rules, which here fire after a second; give its address."""
    rules = yaml.safe_load(RULES.read_text("utf-8"))
    for rule in rules["groups"][0]["rules"]:
        rule["for"] = "1s"
    (folder / "alerts.yaml").write_text(yaml.safe_dump(rules))
    (folder / "token").write_text(TOKEN)
    scrape = {
        "job_name": "ingest",
        "authorization": {"credentials_file": "token"},
        "static_configs": [{"targets": [target]}],
    }
    often = {"scrape_interval": "3s", "scrape_timeout": "3s", "evaluation_interval": "1s"}
    configuration = {"global": often, "rule_files": ["alerts.yaml"], "scrape_configs": [scrape]}
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(configuration))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    arguments = {
        "config.file": folder / "prometheus.yaml",
        "storage.tsdb.path": folder / "data",
        "web.listen-address": address,
    }
    with (folder / "log").open("w") as log:
        command = ["prometheus", *(f"--{name}={value}" for name, value in arguments.items())]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(60)


def firing(address: str) -> dict[str, Any]:
    """The alerts that fire, by name."""
    try:
        answer = httpx.get(f"{address}/api/v1/alerts", timeout=10, trust_env=False)
    except httpx.TransportError:  # it has not started yet
        return {}
    if answer.status_code != 200:
        return {}
    alerts = answer.json()["data"]["alerts"]
    return {alert["labels"]["alertname"]: alert for alert in alerts if alert["state"] == "firing"}


@dataclass(frozen=True)
class Watched:
    """A deployment whose service a Prometheus scrapes."""

    deployment: Deployment
    database_url: str
    address: str
    """Of Prometheus."""


@pytest.fixture(scope="module")
def watched(
    postgres: EmbeddedPostgres, parser: LocalParser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """With a document that is done, one that has failed, one that waits, and a budget that is spent."""
    folder = tmp_path_factory.mktemp("watched")
    user = UserId(uuid4())
    settings = {"INGEST_METRICS_TOKEN": TOKEN, "INGEST_BUDGET_USD_PER_DAY": "5"}
    for url in _database(postgres, TEMPLATE):
        with deployment_for(settings_for(url, folder / "home"), parser) as deployment:
            submit(deployment, user, policy_text("Done"), "done.md")
            submit(deployment, user, b"%PDF-1.4 truncated", "bad.pdf")
            drain_all(deployment)
            submit(deployment, user, policy_text())
            with psycopg.connect(url) as connection:
                connection.execute(SPEND.encode())
                connection.execute(CALLS.encode())
            with (
                serve(url, folder, **settings) as served,
                prometheus(folder, served.url.removeprefix("http://")) as address,
            ):
                yield Watched(deployment, url, address)


def asked(address: str, expression: str) -> list[Any]:
    """The series that Prometheus finds."""
    answer = httpx.get(f"{address}/api/v1/query", params={"query": expression}, timeout=10, trust_env=False)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["data"]["result"]
    return found


def test_every_panel_for_grafana_finds_what_it_asks_for(watched: Watched) -> None:
    submit(watched.deployment, UserId(uuid4()), policy_text("Waiting"), "waiting.md")
    until(lambda: firing(watched.address))
    # Rates need two scrapes.
    for shown in ("rate(ingest_documents_finished_total[1m])", "ingest_oldest_job_age_seconds"):
        until(lambda shown=shown: asked(watched.address, shown))
    panels = [panel for dashboard in DASHBOARDS for row in dashboard.rows for panel in row.panels]
    found = {
        (panel.title, query.expression): asked(
            watched.address, query.expression.replace(RATE, "1m").replace(RANGE, "1h")
        )
        for panel in panels
        for query in panel.queries
    }
    empty = {title for title, _ in found} - {title for (title, _), series in found.items() if series}
    assert empty <= set(NOTHING_HERE)
    may_be_empty = {panel.title for panel in panels if panel.may_be_empty}
    assert {title for (title, _), series in found.items() if not series} <= may_be_empty


def test_what_is_wrong_fires_and_what_is_mended_clears(watched: Watched) -> None:
    address = watched.address
    until(lambda: firing(address).keys() >= EXPECTED)
    for alert in firing(address).values():
        assert "error" not in alert["annotations"]["description"]
        assert "<" not in "".join(alert["annotations"].values())
    drain_all(watched.deployment)
    with psycopg.connect(watched.database_url) as connection:
        connection.execute("UPDATE upload_pipeline.spending SET micro_usd = 1000000")
    until(lambda: firing(address) and not firing(address).keys() & (EXPECTED - {"IngestDeadLettersAppear"}))
    assert "IngestDatabaseUnreachable" not in firing(address)
