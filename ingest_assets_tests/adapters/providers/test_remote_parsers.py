"""LlamaParse and Llama Cloud, through their real clients, against emulated providers on real sockets."""

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.spending.ledger import Ledger
from ingest_assets.adapters.postgres.spending.paid_calls import CostLimits, PostgresPaidCalls
from ingest_assets.adapters.postgres.spending.remote_jobs import PostgresRemoteJobs
from ingest_assets.adapters.providers import LLAMACLOUD, LLAMAPARSE
from ingest_assets.adapters.providers.llamacloud.parser import LlamaCloudParser
from ingest_assets.adapters.providers.llamacloud.settings import LlamaCloudSettings
from ingest_assets.adapters.providers.llamaparse.parser import LlamaParseParser
from ingest_assets.adapters.providers.llamaparse.settings import LlamaParseSettings
from ingest_assets.adapters.providers.remote_parsing.parser import RemoteParser
from ingest_assets.adapters.providers.remote_parsing.settings import Tier
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, DocumentId, Producer, UserId
from ingest_assets.domain.errors import IngestError, PermanentError, ResourceError, TransientError
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.domain.spending.circuit_breaker import BreakerSettings
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.remote_jobs import RemoteJob, Unanswered
from ingest_assets.pipeline.ports.providers import Parser
from ingest_assets_tests.adapters.providers.lone_document import LoneDocument
from ingest_assets_tests.contracts.parser_contract import DIAGNOSIS, ParserContract, document_of, parse, refusal
from ingest_assets_tests.documents import submit
from ingest_assets_tests.emulators.llamacloud import LlamaCloudEmulator
from ingest_assets_tests.emulators.llamaparse import KEY, TRANSPORT_FAULTS, Fault, LlamaParseEmulator, multipart
from ingest_assets_tests.emulators.server import Plan
from ingest_assets_tests.sample_files import docx, pdf

HASTE: dict[str, Any] = {
    "seconds": 20,
    "request_seconds": 0.5,
    "first_pause": 0.001,
    "longest_pause": 0.01,
    "first_look": 0,
    "longest_retry_after": 2,
    "callback_pause": 0.005,
}
QUICK = LlamaParseSettings(**HASTE)
QUICK_CLOUD = LlamaCloudSettings(**HASTE)
EMULATORS = [LlamaParseEmulator, LlamaCloudEmulator]
TAKEN = (Fault.LOST_ANSWER, Fault.TRUNCATED, Fault.HTML_ANSWER, Fault.SLOW_GATEWAY)
"""An upload that meets these has created a job."""
UNANSWERED = (*TAKEN, Fault.RESET, Fault.STALL, Fault.SERVER_ERROR, Fault.BAD_GATEWAY)
"""An upload that meets these may have created one."""
CONTENT = pdf("Fire cover for the house.", "Theft cover for the car.")


@dataclass
class RecordedCall:
    estimate: Usage
    user_id: UserId
    document_id: DocumentId | None
    call_id: int = 0
    used: Usage | None = None
    error: BaseException | None = None

    def settle(self, usage: Usage) -> None:
        self.used = usage


@dataclass
class RecordedCalls(LoneDocument):
    """The gate before paid calls, wide open; what went through it."""

    calls: list[RecordedCall] = field(default_factory=list)

    @contextmanager
    def begin(
        self,
        provider: ProviderName,
        estimate: Usage,
        user_id: UserId,
        document_id: DocumentId | None,
        fence: int | None = None,  # noqa: ARG002  nobody else is there
    ) -> Iterator[RecordedCall]:
        assert provider in (LLAMAPARSE.name, LLAMACLOUD.name)
        call = RecordedCall(estimate, user_id, document_id)
        self.calls.append(call)
        try:
            yield call
        except BaseException as error:
            call.error = error
            raise

    @property
    def credits(self) -> int:
        return sum(call.used.credits for call in self.calls if call.used)

    @property
    def pages(self) -> int:
        return sum(call.used.pages for call in self.calls if call.used)


@dataclass
class RememberedJobs:
    """Remote jobs in memory."""

    jobs: dict[tuple[DocumentId, str, Producer], RemoteJob] = field(default_factory=dict)
    called_back: set[str] = field(default_factory=set)
    asked: dict[tuple[DocumentId, str, Producer], Unanswered] = field(default_factory=dict)
    bills_awaited: set[str] = field(default_factory=set)
    left: set[str] = field(default_factory=set)

    def prepare(
        self,
        document: Document,
        producer: Producer,
        call_id: int | None = None,  # noqa: ARG002  kept nowhere
        request_id: UUID | None = None,
    ) -> str:
        if request_id is not None:
            self.asked[document.document_id, document.content_sha, producer] = Unanswered(request_id, datetime.now(UTC))
        return f"secret of {producer.name} for {document.document_id}"

    def withdraw(self, request_id: UUID) -> None:
        self.asked = {key: asked for key, asked in self.asked.items() if asked.request_id != request_id}

    def unanswered(self, document: Document, producer: Producer) -> Unanswered | None:
        key = document.document_id, document.content_sha, producer
        return None if key in self.jobs else self.asked.get(key)

    def await_bill(self, document: Document, producer: Producer, remote_id: str) -> None:  # noqa: ARG002  kept nowhere
        self.bills_awaited.add(remote_id)

    def remember(self, document: Document, producer: Producer, remote_id: str, call_id: int | None = None) -> None:  # noqa: ARG002  kept nowhere
        self.jobs[document.document_id, document.content_sha, producer] = RemoteJob(remote_id, booked=False)

    def recall(self, document: Document, producer: Producer) -> RemoteJob | None:
        return self.jobs.get((document.document_id, document.content_sha, producer))

    def book(self, document: Document, producer: Producer, remote_id: str) -> None:
        key = document.document_id, document.content_sha, producer
        if key in self.jobs:
            self.jobs[key] = RemoteJob(remote_id, booked=True)

    def forget(self, document: Document, producer: Producer, remote_id: str) -> None:
        key = document.document_id, document.content_sha, producer
        if key in self.jobs and self.jobs[key].remote_id == remote_id:
            del self.jobs[key]
            self.asked.pop(key, None)

    def leave(self, asked: Unanswered, producer: Producer, remote_id: str) -> None:  # noqa: ARG002  kept nowhere
        self.left.add(remote_id)

    def completed(self, remote_id: str) -> bool:
        return remote_id in self.called_back


class DiedError(BaseException):
    """The worker is gone."""


class WorkerThatDies(RememberedJobs):
    """It remembers the job, and does nothing more."""

    def remember(self, document: Document, producer: Producer, remote_id: str, call_id: int | None = None) -> None:
        super().remember(document, producer, remote_id, call_id)
        raise DiedError

    def book(self, document: Document, producer: Producer, remote_id: str) -> None:
        """Dead."""


@pytest.fixture(params=EMULATORS)
def emulated(request: pytest.FixtureRequest) -> type[LlamaParseEmulator]:
    """Either provider."""
    kind: type[LlamaParseEmulator] = request.param
    return kind


@pytest.fixture
def service(emulated: type[LlamaParseEmulator]) -> Iterator[LlamaParseEmulator]:
    with emulated() as emulator:
        yield emulator


@pytest.fixture
def calls() -> RecordedCalls:
    return RecordedCalls()


@pytest.fixture
def jobs() -> RememberedJobs:
    return RememberedJobs()


def parser_of(
    service: LlamaParseEmulator,
    calls: Any = None,
    jobs: Any = None,
    key: str | Callable[[], str] = KEY,
    **settings: Any,
) -> RemoteParser:
    read = key if callable(key) else lambda: key
    calls, jobs, clock = calls or RecordedCalls(), jobs or RememberedJobs(), SystemClock()
    if isinstance(service, LlamaCloudEmulator):
        return LlamaCloudParser(read, service.url, calls, jobs, replace(QUICK_CLOUD, **settings), clock)
    return LlamaParseParser(read, service.url, calls, jobs, replace(QUICK, **settings), clock)


@pytest.fixture
def parser(service: LlamaParseEmulator, calls: RecordedCalls, jobs: RememberedJobs) -> RemoteParser:
    return parser_of(service, calls, jobs)


def contents_of(service: LlamaParseEmulator) -> list[dict[str, str]]:
    """The fields of each upload."""
    return [multipart(request)[0] for request in service.requests if request.path.endswith("/upload")]


class TestRemoteParsers(ParserContract):
    @pytest.fixture
    def parser(self, service: LlamaParseEmulator) -> Parser:
        return parser_of(service)


def test_one_process_parses_many_documents(service: LlamaParseEmulator, parser: RemoteParser) -> None:
    for number in range(5):
        assert f"Clause{number}" in parse(parser, pdf(f"Clause{number} of the policy."), FileType.PDF).text
    assert service.counts["jobs"] == 5


def test_one_parser_serves_many_threads(service: LlamaParseEmulator, parser: RemoteParser) -> None:
    contents = [pdf(f"Clause{number} of the policy.") for number in range(12)]
    with ThreadPoolExecutor(6) as threads:
        texts = list(threads.map(lambda content: parse(parser, content, FileType.PDF).text, contents))
    assert [f"Clause{number}" in text for number, text in enumerate(texts)] == [True] * 12


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.UNAUTHORISED, "service_key_refused"),
        (Fault.FORBIDDEN, "service_key_refused"),
        (Fault.UNPAID, "service_quota_spent"),
        (Fault.INVALID, "service_refused"),
    ],
)
@pytest.mark.parametrize("operation", ["uploads", "polls", "results"])
def test_a_refusal_surfaces_at_once(
    service: LlamaParseEmulator, parser: RemoteParser, operation: str, fault: Fault, code: str
) -> None:
    service.script(operation, fault)

    assert refusal(parser, CONTENT, FileType.PDF).code == code
    assert service.counts[operation] == 1


@pytest.mark.parametrize("fault", [*TRANSPORT_FAULTS, Fault.STALL, Fault.HTML_ANSWER])
@pytest.mark.parametrize("operation", ["uploads", "polls", "results"])
def test_what_passes_by_itself_is_waited_out(
    service: LlamaParseEmulator, parser: RemoteParser, operation: str, fault: Fault
) -> None:
    service.script(operation, fault)
    if operation == "uploads" and isinstance(service, LlamaCloudEmulator):
        assert "Theft cover" in _landed(parser, CONTENT)
        assert service.counts["jobs"] == 1
        return

    assert "Theft cover" in parse(parser, CONTENT, FileType.PDF).text
    assert service.counts[operation] >= 2


@pytest.mark.parametrize("fault", TAKEN)
def test_llama_cloud_s_job_whose_creation_was_not_answered_is_found_and_booked_once(
    calls: RecordedCalls, jobs: RememberedJobs, fault: Fault
) -> None:
    with LlamaCloudEmulator() as service:
        others = parser_of(service)
        for number in range(5):
            parse(others, pdf(f"Clause{number} of another policy."), FileType.PDF)
        before = service.counts["credits"]
        service.script("uploads", fault)

        assert "Theft cover" in parse(parser_of(service, calls, jobs), CONTENT, FileType.PDF).text
        assert service.counts["uploads"] == service.counts["jobs"] == 6
        assert service.counts["listings"] == 3
        assert calls.credits == service.counts["credits"] - before == 6


def test_llama_cloud_s_job_that_nobody_found_at_once_is_found_by_the_next_attempt(
    calls: RecordedCalls, jobs: RememberedJobs
) -> None:
    with LlamaCloudEmulator() as service:
        service.script("uploads", Fault.LOST_ANSWER)
        service.script("listings", *[Fault.SERVER_ERROR] * 4)
        parser = parser_of(service, calls, jobs)
        assert refusal(parser, CONTENT, FileType.PDF).code == "service_unavailable"
        assert "Theft cover" in parse(parser, CONTENT, FileType.PDF).text
        assert service.counts["uploads"] == 1


@pytest.mark.parametrize(
    ("faults", "code", "listings"),
    [
        ([Fault.RESET], "service_unavailable", 2),
        ([Fault.SERVER_ERROR], "service_unavailable", 2),
        ([Fault.BAD_GATEWAY], "service_unavailable", 2),
        ([Fault.AWAY], "service_unavailable", 2),
        ([Fault.BUSY] * 4, "service_busy", 0),
        ([Fault.INVALID], "service_refused", 0),
        ([Fault.UNPAID], "service_quota_spent", 0),
    ],
)
def test_llama_cloud_is_asked_again_only_if_it_has_no_job(faults: list[Fault], code: str, listings: int) -> None:
    with LlamaCloudEmulator() as service:
        service.script("uploads", *faults)
        parser = parser_of(service, jobs=RememberedJobs())
        assert refusal(parser, CONTENT, FileType.PDF).code == code
        assert "Theft cover" in parse(parser, CONTENT, FileType.PDF).text
        assert (service.counts["jobs"], service.counts["listings"]) == (1, listings)
        assert service.counts["uploads"] == len(faults) + 1


def test_of_two_llama_cloud_jobs_of_one_request_one_is_kept_and_the_other_is_booked_and_left(
    calls: RecordedCalls, jobs: RememberedJobs
) -> None:
    with LlamaCloudEmulator() as service:
        service.script("uploads", Fault.HASTY_GATEWAY, Fault.SLOW_GATEWAY)
        assert "Theft cover" in parse(parser_of(service, calls, jobs), CONTENT, FileType.PDF).text
        kept = {job.remote_id for job in jobs.jobs.values()}
        assert len(kept) == len(jobs.left) == 1
        assert kept | jobs.left == set(service.jobs)
        assert calls.credits == 12


def test_until_llama_cloud_has_billed_a_job_its_cost_is_what_the_price_list_says(
    calls: RecordedCalls, jobs: RememberedJobs
) -> None:
    with LlamaCloudEmulator() as service:
        service.unbilled_looks = 1
        parse(parser_of(service, calls, jobs), CONTENT, FileType.PDF)
        assert calls.credits == 6
        assert jobs.bills_awaited == set(service.jobs)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.BUSY, "service_busy"),
        (Fault.SERVER_ERROR, "service_unavailable"),
        (Fault.BAD_GATEWAY, "service_unavailable"),
        (Fault.RESET, "service_unavailable"),
        (Fault.STALL, "service_slow"),
        (Fault.SLOW_GATEWAY, "service_slow"),
        (Fault.TRUNCATED, "service_garbled"),
        (Fault.HTML_ANSWER, "service_garbled"),
    ],
)
@pytest.mark.parametrize("operation", ["uploads", "polls"])
def test_what_does_not_pass_is_given_back_to_the_queue(
    service: LlamaParseEmulator, operation: str, fault: Fault, code: str
) -> None:
    service.script(operation, *[fault] * 9)
    parser = parser_of(service, request_tries=2, request_seconds=0.1)
    never_repeated = operation == "uploads" and isinstance(service, LlamaCloudEmulator) and fault in UNANSWERED
    if never_repeated and fault in TAKEN:
        assert "Theft cover" in parse(parser, CONTENT, FileType.PDF).text
    else:
        error = refusal(parser, CONTENT, FileType.PDF)
        assert isinstance(error, TransientError)
        assert error.code == code
    assert service.counts[operation] == (1 if never_repeated else 2)


@pytest.mark.parametrize("operation", ["uploads", "polls", "results"])
def test_the_service_s_own_pause_is_kept(
    service: LlamaParseEmulator, operation: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.script(operation, Fault.BUSY_WITH_RETRY_AFTER)
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def recorded(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr(asyncio, "sleep", recorded)

    parse(parser_of(service), CONTENT, FileType.PDF)

    assert pauses.count(1.0) == 1


def test_a_pause_that_is_too_long_to_wait_for_is_left_to_the_queue(service: LlamaParseEmulator) -> None:
    service.script("uploads", Fault.BUSY_FOR_AN_HOUR)

    error = refusal(parser_of(service), CONTENT, FileType.PDF)

    assert (error.code, error.retry_after) == ("service_busy", 3600)
    assert service.counts["uploads"] == 1


def test_a_missing_result_is_a_failure(service: LlamaParseEmulator, parser: RemoteParser) -> None:
    service.script("results", Fault.MISSING)

    assert refusal(parser, CONTENT, FileType.PDF).code == "service_job_gone"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault.EMPTY_RESULT, "empty_output"),
        (Fault.HTML_PAGES, "service_result_unusable"),
    ],
)
def test_a_result_without_the_document_s_text_is_a_failure_that_was_paid(
    service: LlamaParseEmulator, calls: RecordedCalls, jobs: RememberedJobs, fault: Fault, code: str
) -> None:
    service.script("results", fault)

    assert refusal(parser_of(service, calls, jobs), CONTENT, FileType.PDF).code == code
    assert calls.credits == service.counts["credits"] == 6
    assert jobs.jobs == {}


@pytest.mark.parametrize("fault", [Fault.JOB_ERROR, Fault.JOB_CANCELED, Fault.PARTIAL_SUCCESS])
def test_a_job_that_the_service_gives_up_costs_nothing_and_is_forgotten(
    service: LlamaParseEmulator, calls: RecordedCalls, jobs: RememberedJobs, fault: Fault
) -> None:
    service.script("polls", fault)
    parser = parser_of(service, calls, jobs)

    assert refusal(parser, CONTENT, FileType.PDF).code == "service_job_failed"
    assert calls.credits == service.counts["credits"] == 0
    assert jobs.jobs == {}
    assert "Theft cover" in parse(parser, CONTENT, FileType.PDF).text


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (pdf("Fire", user_password="x"), "encrypted"),  # noqa: S106
        (b"%PDF-1.7 nothing more", "corrupt"),
    ],
)
def test_what_is_wrong_with_the_document_is_told_apart(
    service: LlamaParseEmulator, parser: RemoteParser, content: bytes, code: str
) -> None:
    error = refusal(parser, content, FileType.PDF)

    assert isinstance(error, PermanentError)
    assert error.code == code


@pytest.mark.parametrize("kind", [FileType.EML, FileType.MARKDOWN, "application/x-unknown"])
def test_what_the_service_does_not_read_is_not_sent(
    service: LlamaParseEmulator, parser: RemoteParser, kind: str
) -> None:
    assert refusal(parser, b"text", kind).code == "unsupported"
    assert service.calls.total() == 0


def test_a_document_with_more_pages_is_waited_for_longer() -> None:
    settings = LlamaParseSettings(seconds=100, seconds_per_page=2)

    assert (settings.patience(1), settings.patience(500)) == (102, 1100)


def test_a_job_that_never_ends_is_given_up_and_fetched_later(
    emulated: type[LlamaParseEmulator], calls: RecordedCalls, jobs: RememberedJobs
) -> None:
    with emulated(pending_polls=10**9) as service:
        parser = parser_of(service, calls, jobs, seconds=0.1, seconds_per_page=0.05)
        assert refusal(parser, CONTENT, FileType.PDF).code == "timeout"
        service.pending_polls = 0
        assert "Theft cover" in parse(parser_of(service, calls, jobs), CONTENT, FileType.PDF).text
        assert service.counts["uploads"] == 1
        assert len(calls.calls) == 1
        assert calls.credits == service.counts["credits"] == 6


def test_a_crashed_worker_s_job_is_fetched_by_the_next_and_booked_once(service: LlamaParseEmulator) -> None:
    dying = WorkerThatDies()
    with pytest.raises(DiedError):
        parse(parser_of(service, RecordedCalls(), dying), CONTENT, FileType.PDF)
    calls, jobs = RecordedCalls(), RememberedJobs(dying.jobs)
    parser = parser_of(service, calls, jobs)

    parsed = [parse(parser, CONTENT, FileType.PDF) for _ in range(3)]

    assert "Theft cover" in parsed[0].text
    assert service.counts["uploads"] == service.counts["jobs"] == 1
    assert [call.estimate for call in calls.calls] == [Usage()]
    assert calls.credits == service.counts["credits"] == 6


def test_the_job_is_remembered_before_it_is_asked_about(service: LlamaParseEmulator) -> None:
    with pytest.raises(DiedError):
        parse(parser_of(service, jobs=WorkerThatDies()), CONTENT, FileType.PDF)

    assert service.counts["polls"] == 0


def test_a_job_that_the_service_has_forgotten_is_begun_anew(service: LlamaParseEmulator, parser: RemoteParser) -> None:
    parse(parser, CONTENT, FileType.PDF)
    service.jobs.clear()

    assert "Theft cover" in parse(parser, CONTENT, FileType.PDF).text
    assert service.counts["uploads"] == 2


def test_another_tier_is_another_job(service: LlamaParseEmulator, jobs: RememberedJobs) -> None:
    parse(parser_of(service, jobs=jobs), CONTENT, FileType.PDF)
    parse(parser_of(service, jobs=jobs, tier=Tier.AGENTIC), CONTENT, FileType.PDF)

    assert service.counts["uploads"] == 2


@pytest.mark.parametrize("tier", Tier)
def test_credits_are_booked_by_tier_and_page(service: LlamaParseEmulator, calls: RecordedCalls, tier: Tier) -> None:
    parse(parser_of(service, calls, tier=tier), CONTENT, FileType.PDF)

    (call,) = calls.calls
    document = document_of(CONTENT, FileType.PDF)
    assert (call.user_id, call.document_id) == (document.user_id, document.document_id)
    assert call.used is not None
    assert call.used.credits == service.counts["credits"] == 2 * tier.credits_per_page
    assert call.used.micro_usd == call.used.credits * 1_250_000_000 // 1_000_000
    assert call.used.pages == call.estimate.pages == 2
    assert call.used.request_id in service.jobs
    assert call.estimate == replace(call.used, request_id=None)


def test_a_result_from_the_service_s_cache_costs_nothing(service: LlamaParseEmulator, calls: RecordedCalls) -> None:
    for _ in range(2):
        parse(parser_of(service, calls), CONTENT, FileType.PDF)

    assert [call.used and call.used.credits for call in calls.calls] == [6, 0]
    assert calls.pages == service.counts["pages"] == 2


def test_the_cache_can_be_refused(service: LlamaParseEmulator, calls: RecordedCalls) -> None:
    for _ in range(2):
        parse(parser_of(service, calls, do_not_cache=True), CONTENT, FileType.PDF)

    assert calls.credits == service.counts["credits"] == 12


def test_settings_reach_the_service_and_the_file_name_does_not(service: LlamaParseEmulator) -> None:
    parse(parser_of(service, tier=Tier.FAST, language="de", do_not_cache=True), CONTENT, FileType.PDF)

    (fields,) = contents_of(service)
    if isinstance(service, LlamaCloudEmulator):
        [job] = service.jobs.values()
        assert (job.asked["tier"], job.asked["version"], job.asked["disable_cache"]) == ("fast", "2026-06-15", True)
        assert job.asked["processing_options"] == {"ocr_parameters": {"languages": ["de"]}}
    else:
        assert fields.items() >= {"tier": "fast", "language": "de", "do_not_cache": "true"}.items()
    assert all(b"jane-doe" not in request.body for request in service.requests)
    assert [job.filename for job in service.jobs.values()] == ["document.pdf"]


@pytest.mark.parametrize("quick", [QUICK, QUICK_CLOUD])
def test_what_changes_the_text_changes_the_version(quick: LlamaParseSettings | LlamaCloudSettings) -> None:
    versions = {
        replace(quick, **changed).producer.version
        for changed in ({}, {"tier": Tier.FAST}, {"language": "de"}, {"tier_version": "2026-01-08"})
    }
    assert len(versions) == 4


def test_a_rotated_key_is_used_from_the_next_exchange_on(service: LlamaParseEmulator) -> None:
    keys = ["llx-old"]
    parser = parser_of(service, key=lambda: keys[-1])
    assert refusal(parser, CONTENT, FileType.PDF).code == "service_key_refused"
    keys.append(KEY)

    assert "Theft cover" in parse(parser, CONTENT, FileType.PDF).text


@pytest.mark.parametrize("key", [KEY, "llx-wrong-key", "llx-wröng-key\n"])
@pytest.mark.parametrize("fault", [None, Fault.SERVER_ERROR, Fault.RESET, Fault.INVALID, Fault.HTML_ANSWER])
def test_no_key_and_no_text_is_shown_or_logged(
    service: LlamaParseEmulator,
    key: str,
    fault: Fault | None,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(0)
    service.script("uploads", *[fault] * 4)
    parser = parser_of(service, key=key)
    shown = repr(parser) + repr(parser.producer)
    try:
        parse(parser, pdf(DIAGNOSIS), FileType.PDF)
    except IngestError as error:
        shown += repr(error) + error.hint + repr(error.__cause__)
    shown += caplog.text + "".join(capsys.readouterr())

    assert not any(hidden in shown for hidden in [key.strip(), DIAGNOSIS, "jane-doe"])


def test_a_word_document_is_read_too(parser: RemoteParser) -> None:
    assert "Water damage" in parse(parser, docx("Water damage is covered."), FileType.DOCX).text


def test_a_format_without_pages_has_no_page_map(parser: RemoteParser) -> None:
    assert parse(parser, b"Water damage is covered.", FileType.TEXT).page_starts == ()


def test_a_deployment_that_errs_at_random_pays_each_document_once_and_loses_none(
    emulated: type[LlamaParseEmulator], calls: RecordedCalls
) -> None:
    plan = Plan(faults=[*TRANSPORT_FAULTS, Fault.HTML_ANSWER, Fault.PENDING], share=0.3, seed=11)
    jobs = RememberedJobs()
    with emulated(plan) as service:
        parser = parser_of(service, calls, jobs, longest_retry_after=0.5)
        for number in range(15):
            content = pdf(f"Clause{number} of the policy.")
            assert f"Clause{number}" in _landed(parser, content)
        assert calls.credits == service.counts["credits"] == 15 * 3
        assert service.faults.total() > 10


def _landed(parser: RemoteParser, content: bytes, document: Document | None = None) -> str:
    """The text, after as many tries as it takes."""
    for _ in range(20):
        try:
            return parser.parse(content, document or document_of(content, FileType.PDF)).text
        except (TransientError, ResourceError):
            continue
    raise AssertionError("never landed")


class TestJobsInPostgres:
    @pytest.fixture
    def database(self, database_url: str) -> Iterator[Database]:
        database = Database(database_url)
        yield database
        database.close()

    @pytest.fixture
    def parse_jobs(self, database: Database) -> PostgresRemoteJobs:
        return PostgresRemoteJobs(database)

    @pytest.fixture
    def document(self, deployment: Deployment, user: UserId) -> Document:
        accepted = submit(deployment, user, CONTENT, "policy.pdf")
        document = deployment.documents.find(accepted.document_id)
        assert document is not None
        return document

    def test_a_secret_counts_for_the_newest_job_only(self, parse_jobs: PostgresRemoteJobs, document: Document) -> None:
        first, _ = (parse_jobs.prepare(document, QUICK.producer) for _ in range(2))
        assert parse_jobs.complete_by_secret(first) is None

    def test_a_callback_completes_its_job_once(self, parse_jobs: PostgresRemoteJobs, document: Document) -> None:
        secret = parse_jobs.prepare(document, QUICK.producer)
        parse_jobs.remember(document, QUICK.producer, "job-1")
        assert not parse_jobs.completed("job-1")
        first, second = parse_jobs.complete_by_secret(secret), parse_jobs.complete("job-1")
        assert first is not None
        assert second is not None
        assert first.document_id == second.document_id == document.document_id
        assert (first.completed_before, second.completed_before) == (False, True)
        assert parse_jobs.completed("job-1")

    def test_a_callback_may_be_faster_than_the_answer_to_the_upload(
        self, parse_jobs: PostgresRemoteJobs, document: Document
    ) -> None:
        assert parse_jobs.complete_by_secret(parse_jobs.prepare(document, QUICK.producer)) is not None
        parse_jobs.remember(document, QUICK.producer, "job-1")
        assert parse_jobs.completed("job-1")

    def test_nobody_waits_for_an_unknown_job(self, parse_jobs: PostgresRemoteJobs, document: Document) -> None:
        parse_jobs.prepare(document, QUICK.producer)
        assert parse_jobs.complete("unknown") is None
        assert parse_jobs.complete_by_secret("unknown") is None
        assert not parse_jobs.completed("unknown")

    def test_a_document_is_parsed_by_way_of_a_callback_without_a_poll(
        self, parse_jobs: PostgresRemoteJobs, document: Document
    ) -> None:
        with callbacks_to(parse_jobs) as address, LlamaParseEmulator(pending_polls=10**9) as service:
            parser = parser_of(service, jobs=parse_jobs, callback_url=address, first_pause=20, longest_pause=20)
            assert "Theft cover" in parser.parse(CONTENT, document).text
            assert service.counts["polls"] == 0
            (job,) = service.jobs.values()
            assert job.called_back.wait(10)
            assert job.callback_status == 200

    def test_the_ledger_holds_what_the_service_bills_whatever_goes_wrong(
        self,
        emulated: type[LlamaParseEmulator],
        database: Database,
        parse_jobs: PostgresRemoteJobs,
        deployment: Deployment,
        user: UserId,
    ) -> None:
        patient = CostLimits(breaker=BreakerSettings(consecutive_failures=50, fewest_calls=50))
        calls = PostgresPaidCalls(database, SystemClock(), patient, time.sleep, deployment.observer)
        plan = Plan(faults=[*TRANSPORT_FAULTS, Fault.PENDING], share=0.3, seed=7)
        with emulated(plan) as service:
            parser = parser_of(service, calls, parse_jobs, longest_retry_after=0.5)
            for number in range(6):
                content = pdf(*[f"Clause{number} of the policy."] * (number + 1))
                accepted = submit(deployment, user, content, f"policy {number}.pdf")
                document = deployment.documents.find(accepted.document_id)
                assert document is not None
                assert f"Clause{number}" in _landed(parser, content, document)
        (costs,) = Ledger(database).costs()
        assert service.faults.total() > 5
        assert (costs.pages, costs.credits) == (service.counts["pages"], service.counts["credits"]) == (21, 63)

    def test_polling_finishes_a_job_that_nobody_calls_back_for(
        self, parse_jobs: PostgresRemoteJobs, document: Document
    ) -> None:
        with LlamaParseEmulator(calls_back=False) as service:
            parser = parser_of(service, jobs=parse_jobs, callback_url="http://127.0.0.1:9/callback?x=1")
            assert "Theft cover" in parser.parse(CONTENT, document).text
            (fields,) = contents_of(service)
            assert fields["webhook_url"].startswith("http://127.0.0.1:9/callback?x=1&secret=")

    def test_a_callback_that_comes_before_the_result_is_not_believed(
        self, parse_jobs: PostgresRemoteJobs, document: Document
    ) -> None:
        with LlamaParseEmulator(calls_back=False) as service:
            parse_jobs.complete_by_secret(parse_jobs.prepare(document, QUICK.producer))
            service.script("results", Fault.MISSING)
            jobs = EarlyCallback(parse_jobs)
            parser = parser_of(service, jobs=jobs, callback_url="http://127.0.0.1:9/callback")
            assert "Theft cover" in parser.parse(CONTENT, document).text
            assert (service.counts["results"], service.counts["uploads"]) == (2, 1)


@dataclass
class EarlyCallback:
    """Jobs of which each is called back for before it is done."""

    jobs: PostgresRemoteJobs

    def __getattr__(self, name: str) -> Any:
        return getattr(self.jobs, name)

    def completed(self, remote_id: str) -> bool:
        return bool(remote_id)


@contextmanager
def callbacks_to(parse_jobs: PostgresRemoteJobs) -> Iterator[str]:
    """The address of a server that takes callbacks."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            (secret,) = parse_qs(urlsplit(self.path).query)["secret"]
            known = parse_jobs.complete_by_secret(secret)
            self.send_response(200 if known else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/webhooks/llamaparse"
    server.shutdown()
    thread.join()
    server.server_close()
