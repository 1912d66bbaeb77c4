"""Traces arrive at a real receiver, and cost nothing while nobody wants them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import dagster as dg
import pytest

from ingest_assets.adapters.opentelemetry_tracer import OpenTelemetryTracer
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.intake import IncomingFile
from ingest_assets.pipeline.ports.tracing import Tracer
from ingest_assets.pipeline.tracing import tracing
from ingest_assets_tests.canary import Canary
from ingest_assets_tests.contracts.tracing_contract import Told, TracerContract
from ingest_assets_tests.documents import drain_all, policy_text
from ingest_assets_tests.emulators.openai import OpenAIEmulator
from ingest_assets_tests.http.process import serve
from ingest_assets_tests.orchestration.runs import NAMES, run_partition
from ingest_assets_tests.otlp_receiver import Traces, receiving_traces
from ingest_assets_tests.system.test_services import deployed

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
OCCASION = "4bf92f3577b34da6a3ce929d0e0e4736"
CANARY = Canary("Quokka7f3a9c")
IMPORTS = """
import sys
from ingest_assets.definitions import defs
from ingest_assets.composition import Deployment
from ingest_assets.settings import Settings
Deployment(Settings()).attempts
import ingest_assets.http.application
print([name for name in sys.modules if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))])
"""


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traces]:
    with receiving_traces() as made:
        monkeypatch.setenv(ENDPOINT, made.url)
        yield made


@pytest.fixture
def received(traces: Traces) -> Callable[[], dict[str, Told]]:
    return traces.named


@pytest.mark.usefixtures("traces")
class TestOpenTelemetryTracer(TracerContract):
    @pytest.fixture
    def tracer(self) -> Iterator[Tracer]:
        tracer = OpenTelemetryTracer()
        yield tracer
        tracer.close()


def test_a_receiver_that_is_away_is_no_failure_of_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:9")
    tracer = OpenTelemetryTracer()
    with tracer.span("lost", {}):
        pass
    tracer.flush()
    tracer.close()


def test_while_it_is_off_nothing_is_imported_for_it(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "INGEST_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-W", "ignore", "-c", IMPORTS]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert ran.stdout == "[]\n", ran.stderr


def test_one_trace_goes_from_the_request_through_intake_and_worker_to_the_provider(
    database_url: str, tmp_path: Path, user: UserId, traces: Traces
) -> None:
    caller = "00f067aa0ba902b7"
    with serve(database_url, tmp_path, **{ENDPOINT: traces.url}) as served:
        parent = {"traceparent": f"00-{OCCASION}-{caller}-01"}
        text = policy_text(CANARY.word).encode()
        assert served.submit(user, text, f"{CANARY.word}.md", **parent).status_code == 202
    tracer = OpenTelemetryTracer()
    tracing.begin(lambda: tracer)
    try:
        with OpenAIEmulator() as service, deployed(database_url, tmp_path / "home", service) as deployment:
            work(deployment)
    finally:
        tracing.begin(None)
        tracer.close()
    told = traces.named()
    assert traces.services == {"ingest-assets"}
    way = ["HTTP request", "intake", "attempt", "parsed_markdown", "chunks", "embeddings", "provider call"]
    assert [name for name in way if told[name].trace_id != OCCASION] == []
    assert told["HTTP request"].parent_id == caller
    assert told["HTTP request"].attributes["http.route"] == "/v1/documents"
    assert told["intake"].parent_id == told["HTTP request"].span_id
    assert told["embeddings"].parent_id == told["attempt"].span_id
    assert told["provider call"].parent_id == told["embeddings"].span_id
    assert 1 in {each.attributes["ingest.documents"] for each in traces.spans if each.name == "claim"}
    assert not CANARY.is_in(str(traces.spans))
    assert str(user) not in str(traces.spans)


def test_the_steps_of_a_partition_run_are_of_the_trace_too(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, traces: Traces
) -> None:
    file = IncomingFile(policy_text().encode(), "policy.md", "/policy.md", user)
    accepted = deployment.intake.receive(file, Actor("http", OCCASION))
    tracer = OpenTelemetryTracer()
    tracing.begin(lambda: tracer)
    try:
        assert run_partition(deployment, instance, accepted.document_id).success
        told = traces.named()  # the run itself has sent them
    finally:
        tracing.begin(None)
        tracer.close()
    assert {told[asset].trace_id for asset in NAMES} == {OCCASION}
    assert {told[asset].attributes["ingest.document_id"] for asset in NAMES} == {str(accepted.document_id)}


def work(deployment: Deployment) -> None:
    drain_all(deployment)
    assert deployment.documents.by_stage_and_state() == {"embedded/done": 1}
