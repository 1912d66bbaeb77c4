"""The whole pipeline against both providers, as emulators speak for them on 127.0.0.1."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest
from pydantic import SecretStr

from ingest_assets.adapters.postgres.spending.ledger import Ledger
from ingest_assets.adapters.providers import LLAMAPARSE, OPENAI
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import TransientError
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets.domain.queue.stages import State
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.pipeline.drain import DrainLimits
from ingest_assets.settings import Settings
from ingest_assets_tests.conftest import CORPUS
from ingest_assets_tests.documents import TEST, attempt, policy_text, submit
from ingest_assets_tests.emulators import llamaparse, openai
from ingest_assets_tests.emulators.llamaparse import LlamaParseEmulator
from ingest_assets_tests.emulators.openai import OpenAIEmulator
from ingest_assets_tests.emulators.server import Plan
from ingest_assets_tests.sample_files import pdf

needs_corpus = pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is absent: no real document is tried")
AT_ONCE = RetryPolicy(first_delay=timedelta(0), resource_delay=timedelta(0), outage_delay=timedelta(0), retries=60)

PASSING = (
    openai.Fault.RATE_LIMITED_SILENTLY,
    openai.Fault.SERVER_ERROR,
    openai.Fault.BAD_GATEWAY,
    openai.Fault.RESET,
    openai.Fault.KEY_REFUSED,
    openai.Fault.QUOTA_SPENT,
    openai.Fault.TRUNCATED,
    openai.Fault.WRONG_DIMENSION,
    openai.Fault.MISSING_VECTORS,
    openai.Fault.NOT_A_NUMBER,
)


@pytest.fixture
def embedding_service() -> Iterator[OpenAIEmulator]:
    with OpenAIEmulator() as running:
        yield running


@pytest.fixture
def parsing_service() -> Iterator[LlamaParseEmulator]:
    with LlamaParseEmulator() as running:
        yield running


@contextmanager
def deployed(
    database_url: str,
    home: Path,
    embedding_service: OpenAIEmulator,
    parsing_service: LlamaParseEmulator | None = None,
    **settings: object,
) -> Iterator[Deployment]:
    keys = {"openai_api_key": SecretStr(openai.KEY), "openai_base_url": embedding_service.base_url}
    if parsing_service is not None:
        keys |= {"llama_cloud_api_key": SecretStr(llamaparse.KEY), "llama_cloud_base_url": parsing_service.url}
    deployment = Deployment(
        Settings(home=home, database_url=SecretStr(database_url), lease_seconds=30, **keys, **settings)  # type: ignore[arg-type]
    )
    try:
        yield deployment.replacing(retry_policy=AT_ONCE, jitter=lambda: 0.0)
    finally:
        deployment.close()


def work_off(deployment: Deployment, claim: str = "worker") -> None:
    limits = DrainLimits(in_flight=4, ahead=0, until_empty=True, duration=timedelta(seconds=150))
    deployment.drain.run(claim, limits, stop=Event(), report=lambda: None)


def spent(deployment: Deployment) -> dict[ProviderName, tuple[int, int]]:
    return {each.provider: (each.tokens, each.pages) for each in Ledger(deployment.database).costs()}


@needs_corpus
def test_the_ledger_equals_what_both_services_counted_to_the_token_and_the_page(
    database_url: str,
    tmp_path: Path,
    user: UserId,
    embedding_service: OpenAIEmulator,
    parsing_service: LlamaParseEmulator,
) -> None:
    with deployed(database_url, tmp_path, embedding_service, parsing_service) as deployment:
        for path in sorted((CORPUS / "insurance").glob("*.pdf")):
            submit(deployment, user, path.read_bytes(), path.name)
        work_off(deployment)
        assert deployment.documents.by_stage_and_state() == {"embedded/done": 4}
        assert spent(deployment) == {
            OPENAI.name: (embedding_service.tokens, 0),
            LLAMAPARSE.name: (0, parsing_service.counts["pages"]),
        }
        assert max(embedding_service.paid.values()) == 1
        hits = deployment.search.passages(user, "emergency services", 3)
        assert "emergency" in hits[0].text.lower()
        assert hits[0].page


@pytest.mark.parametrize("seed", [1, 2])
def test_with_thirty_percent_of_calls_failing_every_document_lands_and_no_vector_is_paid_twice(
    database_url: str, tmp_path: Path, user: UserId, seed: int
) -> None:
    with (
        OpenAIEmulator(Plan(faults=PASSING, share=0.3, seed=seed)) as service,
        deployed(database_url, tmp_path, service, breaker_open_seconds=0.5) as deployment,
    ):
        documents = [submit(deployment, user, policy_text(f"Subject {n}", 8), f"{n}.md").document_id for n in range(12)]
        work_off(deployment)
        assert deployment.documents.states(documents) == {State.DONE: 12}
        assert service.faults, "nothing went wrong: the test proves nothing"
        assert set(service.paid.values()) == {1}
        assert spent(deployment)[OPENAI.name] == (service.tokens, 0)


def test_eight_workers_on_two_failing_services_land_every_document_within_the_budget(
    database_url: str, tmp_path: Path, user: UserId
) -> None:
    budget = 1.0
    with (
        OpenAIEmulator(Plan(faults=PASSING, share=0.3, seed=3)) as embedding,
        LlamaParseEmulator(Plan(faults=llamaparse.TRANSPORT_FAULTS, share=0.3, seed=4)) as parsing,
        deployed(
            database_url, tmp_path, embedding, parsing, budget_usd_per_day=budget, breaker_open_seconds=0.5
        ) as deployment,
    ):
        documents = [
            submit(deployment, user, pdf(f"Clause {n} covers the walrus.", f"Page two of {n}."), f"{n}.pdf").document_id
            for n in range(16)
        ]
        bad = submit(deployment, user, b"%PDF-1.4 truncated", "bad.pdf").document_id
        with ThreadPoolExecutor(8) as workers:
            list(workers.map(lambda number: work_off(deployment, f"worker {number}"), range(8)))
        assert deployment.documents.states(documents) == {State.DONE: 16}
        assert deployment.documents.states([bad]) == {State.DEADLETTER: 1}
        assert embedding.faults
        assert parsing.faults
        assert set(embedding.paid.values()) == {1}
        assert spent(deployment)[OPENAI.name] == (embedding.tokens, 0)
        assert sum(each.micro_usd for each in Ledger(deployment.database).costs()) <= budget * 1_000_000


def test_the_local_parser_stands_in_while_the_service_is_down_and_a_refresh_makes_up_for_it(
    database_url: str,
    tmp_path: Path,
    user: UserId,
    embedding_service: OpenAIEmulator,
    parsing_service: LlamaParseEmulator,
) -> None:
    with deployed(database_url, tmp_path, embedding_service, parsing_service, breaker_open_seconds=2) as deployment:
        document = submit(deployment, user, pdf("The walrus is covered."), "policy.pdf")
        for _ in range(5):
            with (
                suppress(TransientError),
                deployment.paid_calls.begin(LLAMAPARSE.name, Usage(), user, None),
            ):
                raise TransientError("service_unavailable", name="The parsing service")
        work_off(deployment)
        assert parser_of(deployment, document.document_id) == "local"
        assert parsing_service.counts["uploads"] == 0
        while LLAMAPARSE.name in deployment.paid_calls.paused_providers():
            assert deployment.backlog.unfinished() == 0
        assert deployment.refresh.queue(deployment.refresh.outdated(), TEST) == [document.document_id]
        work_off(deployment)
        assert parser_of(deployment, document.document_id) == "llamaparse"
        assert set(embedding_service.paid.values()) == {1}


def parser_of(deployment: Deployment, document_id: DocumentId) -> str:
    document = deployment.documents.find(document_id)
    assert document is not None
    assert document.parse is not None
    return document.parse.parser.name


def test_a_budget_stops_paying_and_loses_nothing(database_url: str, tmp_path: Path, user: UserId) -> None:
    with (
        OpenAIEmulator() as service,
        deployed(database_url, tmp_path, service, budget_usd_per_day=0.000_1) as deployment,
    ):
        for number in range(6):
            submit(deployment, user, policy_text(f"Subject {number}", 12), f"{number}.md")
        for job in deployment.claims.claim("once", 10, deployment.settings.lease):
            attempt(deployment, job)
        [costs] = Ledger(deployment.database).costs()
        assert 0 < costs.micro_usd <= 100
        states = deployment.documents.by_stage_and_state()
        assert states.get("embedding/retryable", 0) >= 1
        assert sum(states.values()) == 6
        waiting = [name for name in states if name.endswith("deadletter")]
        assert waiting == []


def test_an_open_breaker_stops_claiming_and_burns_no_attempt(database_url: str, tmp_path: Path, user: UserId) -> None:
    with (
        OpenAIEmulator(Plan(faults=[openai.Fault.SERVER_ERROR], share=1.0)) as service,
        deployed(database_url, tmp_path, service) as deployment,
    ):
        document_id = submit(deployment, user, policy_text()).document_id
        limits = DrainLimits(idle=timedelta(seconds=1))
        deployment.drain.run("worker", limits, stop=Event(), report=lambda: None)
        assert not deployment.providers.take_calls()
        called = sum(service.calls.values())
        before = deployment.documents.status(document_id)
        deployment.drain.run("worker", limits, stop=Event(), report=lambda: None)
        after = deployment.documents.status(document_id)
        assert sum(service.calls.values()) == called
        assert before is not None
        assert after is not None
        assert after.attempts == before.attempts
        assert after.state is State.RETRYABLE


def test_keys_stay_out_of_events_and_errors(database_url: str, tmp_path: Path, user: UserId) -> None:
    with (
        OpenAIEmulator(keys=["another key"]) as service,
        deployed(database_url, tmp_path, service) as deployment,
    ):
        document_id = submit(deployment, user, policy_text()).document_id
        [job] = deployment.claims.claim("worker", 1, deployment.settings.lease)
        assert not attempt(deployment, job)
        status = deployment.documents.status(document_id)
        assert status is not None
        assert (status.state, status.error_code, status.attempts) == (State.RETRYABLE, "service_key_refused", 0)
        with deployment.database.connection() as connection:
            everything = str(connection.execute("SELECT * FROM upload_pipeline.events").fetchall()) + str(status)
        assert openai.KEY not in everything
