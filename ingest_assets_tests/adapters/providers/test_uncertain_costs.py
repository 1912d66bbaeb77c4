"""Which failures of a call leave it open whether the provider charges: those in which its answer was lost."""

from collections.abc import Callable
from contextlib import closing

import pytest

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.spending.paid_calls import CostLimits, PostgresPaidCalls
from ingest_assets.adapters.postgres.spending.remote_jobs import PostgresRemoteJobs
from ingest_assets.adapters.providers.openai.embedder import OpenAIEmbedder
from ingest_assets.adapters.providers.openai.models import OpenAISettings
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, Producer, UserId
from ingest_assets.domain.errors import IngestError, OutageError
from ingest_assets.domain.spending.circuit_breaker import BreakerSettings
from ingest_assets.domain.spending.costs import ProviderCosts
from ingest_assets_tests.adapters.providers.test_remote_parsers import CONTENT, EMULATORS, parser_of
from ingest_assets_tests.documents import submit
from ingest_assets_tests.emulators import llamaparse, openai
from ingest_assets_tests.emulators.llamacloud import LlamaCloudEmulator
from ingest_assets_tests.emulators.llamaparse import LlamaParseEmulator
from ingest_assets_tests.emulators.openai import OpenAIEmulator
from ingest_assets_tests.emulators.server import RESET, STALL, Plan, Reply, Request

TEXTS = ["Fire cover for the house.", "Theft cover for the car."]


class LosesItsAnswers(OpenAIEmulator):
    """Does what is asked, charges for it, and is not heard."""

    def __init__(self, ending: Reply) -> None:
        super().__init__()
        self.ending = ending

    def answer(self, request: Request) -> Reply:
        super().answer(request)
        return self.ending


@pytest.fixture
def calls(deployment: Deployment) -> PostgresPaidCalls:
    patient = CostLimits(breaker=BreakerSettings(consecutive_failures=50, fewest_calls=50))
    return PostgresPaidCalls(deployment.database, deployment.clock, patient, lambda _: None, deployment.observer)


@pytest.fixture
def document(deployment: Deployment, user: UserId) -> Document:
    found = deployment.documents.find(submit(deployment, user, CONTENT, "policy.pdf").document_id)
    assert found is not None
    return found


@pytest.fixture
def costs(deployment: Deployment) -> Callable[[], ProviderCosts | None]:
    """Return what the only provider has cost, if anything."""

    def costs() -> ProviderCosts | None:
        found = deployment.ledger.costs()
        assert len(found) <= 1
        return found[0] if found else None

    return costs


def embed(base_url: str, calls: PostgresPaidCalls, document: Document) -> None:
    settings = OpenAISettings(answer_seconds=0.3, connect_seconds=0.3)
    with closing(OpenAIEmbedder(lambda: openai.KEY, base_url, calls, settings, pause=lambda _: None)) as embedder:
        embedder.embed(TEXTS, document)


@pytest.mark.parametrize("ending", [RESET, STALL])
def test_texts_whose_answer_is_lost_are_charged_within_what_is_uncertain(
    calls: PostgresPaidCalls, document: Document, costs: Callable[[], ProviderCosts | None], ending: Reply
) -> None:
    with LosesItsAnswers(ending) as emulator:
        with pytest.raises(IngestError):
            embed(emulator.base_url, calls, document)
        found = costs()
        assert found is not None
        assert (found.calls, found.tokens, found.uncertain.calls) == (0, 0, 1)
        assert 0 < emulator.tokens <= found.uncertain.tokens


@pytest.mark.parametrize(
    "fault",
    [openai.Fault.RATE_LIMITED_SILENTLY, openai.Fault.SERVER_ERROR, openai.Fault.BAD_GATEWAY, openai.Fault.KEY_REFUSED],
)
def test_texts_that_are_refused_cost_nothing_for_certain(
    calls: PostgresPaidCalls, document: Document, costs: Callable[[], ProviderCosts | None], fault: openai.Fault
) -> None:
    with OpenAIEmulator(Plan([fault])) as emulator:
        with pytest.raises(IngestError):
            embed(emulator.base_url, calls, document)
        assert (emulator.tokens, costs()) == (0, None)


def test_texts_that_are_sent_to_nobody_cost_nothing_for_certain(
    calls: PostgresPaidCalls, document: Document, costs: Callable[[], ProviderCosts | None]
) -> None:
    with OpenAIEmulator() as emulator:
        nowhere = emulator.base_url
    with pytest.raises(IngestError):
        embed(nowhere, calls, document)
    assert costs() is None


@pytest.fixture(params=EMULATORS)
def emulated(request: pytest.FixtureRequest) -> type[LlamaParseEmulator]:
    """Either provider that parses."""
    kind: type[LlamaParseEmulator] = request.param
    return kind


def parse(emulator: LlamaParseEmulator, calls: PostgresPaidCalls, deployment: Deployment, document: Document) -> None:
    parser_of(emulator, calls, deployment.remote_jobs, longest_retry_after=0.1).parse(CONTENT, document)


def test_each_upload_whose_answer_is_lost_is_an_uncertain_call_of_its_own(
    calls: PostgresPaidCalls, deployment: Deployment, document: Document, costs: Callable[[], ProviderCosts | None]
) -> None:
    with LlamaParseEmulator() as emulator:
        emulator.script("uploads", llamaparse.Fault.LOST_ANSWER)
        with pytest.raises(OutageError, match="service_away"):
            parse(emulator, calls, deployment, document)
        parse(emulator, calls, deployment, document)
        for job_id in list(emulator.jobs):
            emulator.finish(job_id)
        found = costs()
        assert found is not None
        assert (found.calls, found.uncertain.calls) == (1, 1)
        assert found.pages <= emulator.counts["pages"] <= found.pages + found.uncertain.pages
        assert len(emulator.jobs) == 2


def test_llama_cloud_s_upload_whose_answer_is_lost_is_found_and_certain(
    calls: PostgresPaidCalls, deployment: Deployment, document: Document, costs: Callable[[], ProviderCosts | None]
) -> None:
    with LlamaCloudEmulator() as emulator:
        emulator.script("uploads", llamaparse.Fault.LOST_ANSWER)
        parse(emulator, calls, deployment, document)
        found = costs()
        assert found is not None
        assert (found.calls, found.uncertain.calls) == (1, 0)
        assert (found.pages, found.credits) == (emulator.counts["pages"], emulator.counts["credits"]) == (2, 6)
        assert len(emulator.jobs) == 1
    assert list(deployment.stored_rows.inspect()) == []


def test_an_upload_that_is_refused_costs_nothing_for_certain(
    emulated: type[LlamaParseEmulator],
    calls: PostgresPaidCalls,
    deployment: Deployment,
    document: Document,
    costs: Callable[[], ProviderCosts | None],
) -> None:
    with emulated() as emulator:
        emulator.script("uploads", *[llamaparse.Fault.BUSY] * 9)
        with pytest.raises(IngestError):
            parse(emulator, calls, deployment, document)
    with pytest.raises(IngestError):
        parse(emulator, calls, deployment, document)
    assert costs() is None


class DiedError(BaseException):
    """The worker is gone."""


class Dying(PostgresRemoteJobs):
    """Remembers a job, and does nothing more."""

    def remember(self, document: Document, producer: Producer, remote_id: str, call_id: int | None = None) -> None:
        super().remember(document, producer, remote_id, call_id)
        raise DiedError

    def book(self, document: Document, producer: Producer, remote_id: str) -> None:
        """Dead."""


AS_DEAD_WORKERS_LEAVE_IT = """
UPDATE upload_pipeline.paid_calls
SET outcome = 'under_way', settled_at = NULL, pages = 0, credits = 0, micro_usd = 0
"""


def test_a_remote_job_that_fails_after_its_worker_died_costs_nothing_for_certain(
    emulated: type[LlamaParseEmulator],
    calls: PostgresPaidCalls,
    deployment: Deployment,
    document: Document,
    costs: Callable[[], ProviderCosts | None],
) -> None:
    with emulated() as emulator:
        dying = parser_of(emulator, calls, Dying(deployment.database))
        with pytest.raises(DiedError):
            dying.parse(CONTENT, document)
        with deployment.database.connection() as connection:
            connection.execute(AS_DEAD_WORKERS_LEAVE_IT)
        found = costs()
        assert found is not None
        assert found.uncertain.pages == 2
        emulator.script("polls", llamaparse.Fault.JOB_ERROR)
        with pytest.raises(IngestError):
            parse(emulator, calls, deployment, document)
    assert costs() is None


class Away(PostgresRemoteJobs):
    """Its database is away when an upload has just been answered, once before each statement and once behind it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.outages = ["remember, before", "remember, behind", "book, before", "book, behind"]

    def remember(self, document: Document, producer: Producer, remote_id: str, call_id: int | None = None) -> None:
        self._fail("remember, before")
        super().remember(document, producer, remote_id, call_id)
        self._fail("remember, behind")

    def book(self, document: Document, producer: Producer, remote_id: str) -> None:
        self._fail("book, before")
        super().book(document, producer, remote_id)
        self._fail("book, behind")

    def _fail(self, when: str) -> None:
        if when in self.outages:
            self.outages.remove(when)
            raise OutageError("database_unreachable")


def test_a_database_that_is_away_when_the_upload_is_answered_lets_nothing_be_paid_twice(
    emulated: type[LlamaParseEmulator],
    calls: PostgresPaidCalls,
    deployment: Deployment,
    document: Document,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingest_assets.pipeline.outages.PAUSE_SECONDS", 0.01)
    jobs = Away(deployment.database)
    with emulated() as emulator:
        parser = parser_of(emulator, calls, jobs)
        parser.parse(CONTENT, document)
        parser.parse(CONTENT, document)
        assert (len(emulator.jobs), jobs.outages) == (1, [])
    job = jobs.recall(document, parser.producer)
    assert job is not None
    assert job.booked
