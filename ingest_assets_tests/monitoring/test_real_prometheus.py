"""A real Prometheus scrapes a real `ingest serve`: what is wrong there fires here, and what is mended clears."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.documents import drain_all, policy_text, submit
from ingest_assets_tests.http.process import serve
from ingest_assets_tests.monitoring.rules import RULES
from ingest_assets_tests.waiting import until

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed")

TOKEN = "a token of forty-one characters, no less."  # noqa: S105
EXPECTED = {"IngestDeadLettersAppear", "IngestNoWorker", "IngestBudgetSpent", "IngestBudgetNearlySpent"}
SPEND = """
INSERT INTO upload_pipeline.spending (budget, subject, day, micro_usd)
VALUES ('day', '00000000-0000-0000-0000-000000000000', (now() AT TIME ZONE 'UTC')::date, 5000000)
"""


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


def test_what_is_wrong_fires_and_what_is_mended_clears(
    deployment: Deployment, database_url: str, user: UserId, tmp_path: Path
) -> None:
    submit(deployment, user, b"%PDF-1.4 truncated", "bad.pdf")
    drain_all(deployment)
    submit(deployment, user, policy_text())
    with psycopg.connect(database_url) as connection:
        connection.execute(SPEND.encode())
    settings = {"INGEST_METRICS_TOKEN": TOKEN, "INGEST_BUDGET_USD_PER_DAY": "5"}
    with (
        serve(database_url, tmp_path, **settings) as served,
        prometheus(tmp_path, served.url.removeprefix("http://")) as address,
    ):
        until(lambda: firing(address).keys() >= EXPECTED)
        for alert in firing(address).values():
            assert "error" not in alert["annotations"]["description"]
            assert "<" not in "".join(alert["annotations"].values())
        drain_all(deployment)
        with psycopg.connect(database_url) as connection:
            connection.execute("UPDATE upload_pipeline.spending SET micro_usd = 1000000")
        until(lambda: firing(address) and not firing(address).keys() & (EXPECTED - {"IngestDeadLettersAppear"}))
        assert "IngestDatabaseUnreachable" not in firing(address)
