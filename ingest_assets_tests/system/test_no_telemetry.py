"""Nothing that runs here tells anybody outside that it does: no telemetry, no look for updates, no download."""

import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from ingest_assets.shipped import shipped
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.emulators import llamaparse, openai
from ingest_assets_tests.emulators.llamaparse import LlamaParseEmulator
from ingest_assets_tests.emulators.openai import OpenAIEmulator
from ingest_assets_tests.sample_files import pdf
from ingest_assets_tests.system.ingest import Ingest
from ingest_assets_tests.system.watched_network import WatchedNetwork

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def network(tmp_path: Path) -> WatchedNetwork:
    return WatchedNetwork(tmp_path)


@pytest.mark.parametrize(
    "leaves",
    [
        "import socket; socket.create_connection(('192.0.2.1', 9), 1)",
        "import socket; socket.getaddrinfo('telemetry.invalid', 80)",
        "import urllib.request; urllib.request.urlopen('http://telemetry.invalid')",
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 9))",
    ],
)
def test_the_watch_sees_whoever_would_leave(network: WatchedNetwork, leaves: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", leaves], env=dict(network.environment), check=False, capture_output=True
    )
    assert ran.returncode != 0
    assert len(network.attempts) == 1


def test_a_whole_deployment_at_work_never_leaves_the_machine(network: WatchedNetwork, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "documents").mkdir(parents=True)
    (home / "documents" / "policy.md").write_text(policy_text("Zebra"))
    ingest = Ingest(home, network.environment)
    with ingest.up() as ui:
        with urllib.request.urlopen(ui.url, timeout=60) as answer:
            page = answer.read().decode()
        [submitted] = ingest("submit", home / "documents", "--wait", "--json").json
        assert submitted["state"] == "done"
        assert ingest("search", "zebra", "--json").json
        assert ingest("delete", submitted["document_id"]).code == 0
    for process in ("dagster-daemon", "orchestration.page", "warm_launcher", "'dagster', 'api'", "submit"):
        assert process in network.watched, network.watched
    assert network.attempts == []
    assert '"telemetryEnabled": false' in page
    kept = {path.name for path in home.rglob("*")}
    assert not kept & {".telemetry", ".logs_queue", ".dagster", "event.log"}


def test_the_clients_of_outside_services_speak_to_these_and_nobody_else(
    network: WatchedNetwork, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "policy.pdf").write_bytes(pdf("The walrus is covered."))
    with LlamaParseEmulator() as parser, OpenAIEmulator() as embedder:
        deployment = {
            "LLAMA_CLOUD_API_KEY": llamaparse.KEY,
            "LLAMA_CLOUD_BASE_URL": parser.url,
            "OPENAI_API_KEY": openai.KEY,
            "OPENAI_BASE_URL": f"{embedder.url}/v1",
        }
        ingest = Ingest(home, (*network.environment, *deployment.items()))
        ingest("migrate")
        ingest("submit", home / "policy.pdf")
        assert ingest("drain", "--json").json["done"] == 1
        assert parser.counts["jobs"] == 1
        assert ingest("search", "walrus", "--json").json
    assert network.attempts == []


def test_dagsters_switches_are_off_in_the_instance_that_is_shipped() -> None:
    text = shipped("dagster.yaml").read_text()
    assert "\ntelemetry:\n  enabled: false\n" in text
    assert "\nnux:\n  enabled: false\n" in text
