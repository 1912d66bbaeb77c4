"""What the gate before paid providers must do, and what must be known of their jobs and of whether they take calls."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, DocumentId, Producer, UserId
from ingest_assets.domain.errors import IngestError, ResourceError, TransientError
from ingest_assets.domain.integrity import Finding
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.spending.budgets import BudgetLimits
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.rate_limits import RateLimit, RateLimits
from ingest_assets.domain.spending.remote_jobs import RemoteJob
from ingest_assets.pipeline.ports.providers import Availability, PaidCall, PaidCalls, RemoteJobs
from ingest_assets_tests.documents import LEASE, TEST, policy_text, submit

PROVIDER, OTHER = ProviderName("a-provider"), ProviderName("another")
ESTIMATE = Usage(tokens=100, micro_usd=10)
USED = Usage(tokens=90, micro_usd=9, request_id="req-1")
UNAVAILABLE = TransientError("service_unavailable", name="The provider")
MANY = 50
"""Calls in a row after which any breaker is open."""


class Gate(Protocol):
    def __call__(
        self,
        budgets: BudgetLimits | None = None,
        rates: RateLimits | None = None,
    ) -> PaidCalls:
        """Return the gate with these limits for PROVIDER."""


def called(calls: PaidCalls, user: UserId, provider: ProviderName = PROVIDER) -> None:
    with calls.begin(provider, ESTIMATE, user, None):
        pass


def failed(calls: PaidCalls, user: UserId, provider: ProviderName = PROVIDER) -> None:
    with suppress(TransientError), calls.begin(provider, ESTIMATE, user, None):
        raise UNAVAILABLE


def refusal(calls: PaidCalls, user: UserId, document_id: DocumentId | None = None, fence: int | None = None) -> str:
    """Return the code with which the call is refused; the block must not be entered."""
    with pytest.raises(IngestError) as raised, calls.begin(PROVIDER, ESTIMATE, user, document_id, fence):
        pytest.fail("the call was let through")
    return raised.value.code


def wrong_rows(deployment: Deployment) -> list[Finding]:
    """Return which rows contradict each other, such as budgets and calls."""
    return list(deployment.stored_rows.inspect())


class PaidCallsContract:
    """A suite gives the fixture `gate`, whose calls are in the ledger of its deployment."""

    @pytest.fixture
    def gate(self, deployment: Deployment) -> Gate:
        raise NotImplementedError

    def test_the_ledger_holds_a_call_by_its_provider(self, gate: Gate, deployment: Deployment, user: UserId) -> None:
        called(gate(), user)
        [costs] = deployment.ledger.costs()
        assert (costs.provider, costs.calls, costs.tokens, costs.micro_usd) == (PROVIDER, 1, 100, 10)

    def test_a_call_that_fails_releases_its_reservation(self, gate: Gate, deployment: Deployment, user: UserId) -> None:
        calls = gate(budgets=BudgetLimits(day=10))
        failed(calls, user)
        called(calls, user)
        assert sum(each.micro_usd for each in deployment.ledger.costs()) == 10

    @pytest.mark.parametrize("code", ["service_slow", "service_unavailable", "service_garbled", "timeout"])
    def test_a_provider_that_serves_nobody_is_an_outage_and_not_the_documents_fault(
        self, gate: Gate, deployment: Deployment, user: UserId, code: str
    ) -> None:
        document_id = submit(deployment, user, policy_text()).document_id
        calls = gate()
        if code in ("service_slow", "timeout"):
            called(calls, user)  # before the failing call began
        with pytest.raises(ResourceError) as raised, calls.begin(PROVIDER, ESTIMATE, user, document_id):
            raise TransientError(code, name="The provider", seconds=9)
        assert raised.value.code == "service_away"

    def test_a_failure_is_the_documents_own_if_the_provider_serves_others_meanwhile(
        self, gate: Gate, deployment: Deployment, user: UserId
    ) -> None:
        document_id = submit(deployment, user, policy_text()).document_id
        calls = gate()
        with pytest.raises(TransientError) as raised, calls.begin(PROVIDER, ESTIMATE, user, document_id):  # noqa: PT012  what happens meanwhile matters
            called(calls, user)
            raise UNAVAILABLE
        assert raised.value is UNAVAILABLE

    def test_a_quick_failure_is_the_documents_own_if_the_provider_has_just_served_another(
        self, gate: Gate, deployment: Deployment, user: UserId
    ) -> None:
        document_id = submit(deployment, user, policy_text()).document_id
        calls = gate()
        called(calls, user)
        with pytest.raises(TransientError) as raised, calls.begin(PROVIDER, ESTIMATE, user, document_id):
            raise UNAVAILABLE
        assert raised.value is UNAVAILABLE

    def test_only_who_holds_a_document_pays_for_it(self, gate: Gate, deployment: Deployment, user: UserId) -> None:
        submit(deployment, user, policy_text())
        calls, claims = gate(), deployment.claims
        [job] = claims.claim("a worker", 1, LEASE)
        document = job.document
        with calls.begin(PROVIDER, ESTIMATE, user, document.document_id, document.fence):
            pass
        claims.renew("a worker", -LEASE)
        assert refusal(calls, user, document.document_id, document.fence) == "claim_lost"
        claims.renew("a worker", LEASE)
        claims.release("a worker")
        [again] = claims.claim("a worker", 1, LEASE)
        assert refusal(calls, user, document.document_id, document.fence) == "claim_lost"
        with calls.begin(PROVIDER, ESTIMATE, user, document.document_id, again.document.fence):
            pass
        assert [(costs.calls, costs.tokens) for costs in deployment.ledger.costs()] == [(2, 200)]

    def test_who_loses_a_document_while_waiting_for_a_turn_does_not_pay(
        self, gate: Gate, deployment: Deployment, user: UserId
    ) -> None:
        submit(deployment, user, policy_text())
        [job] = deployment.claims.claim("a worker", 1, timedelta(milliseconds=200))
        calls = gate(rates=RateLimits(requests=RateLimit(60, burst=timedelta(milliseconds=1))))
        called(calls, user)
        assert refusal(calls, user, job.document.document_id, job.document.fence) == "claim_lost"

    def test_a_search_is_told_what_happened_to_itself(self, gate: Gate, user: UserId) -> None:
        with pytest.raises(TransientError) as raised, gate().begin(PROVIDER, ESTIMATE, user, None):
            raise UNAVAILABLE
        assert raised.value is UNAVAILABLE

    def test_failures_outside_of_paid_calls_are_attributed_in_the_same_way(
        self, gate: Gate, deployment: Deployment, user: UserId
    ) -> None:
        document_id = submit(deployment, user, policy_text()).document_id
        calls = gate()
        with pytest.raises(ResourceError) as raised, calls.attributing_failures(PROVIDER, document_id):
            raise UNAVAILABLE
        assert raised.value.code == "service_away"

    def test_any_exception_leaves_the_block_as_it_is(self, gate: Gate, user: UserId) -> None:
        with pytest.raises(KeyError, match="as it is"), gate().begin(PROVIDER, ESTIMATE, user, None):
            raise KeyError("as it is")

    @pytest.mark.parametrize(
        ("budgets", "code"),
        [
            (BudgetLimits(day=15), "budget_spent"),
            (BudgetLimits(user=15), "budget_spent"),
            (BudgetLimits(document=15), "document_budget_spent"),
        ],
    )
    def test_what_no_budget_allows_is_refused_before_anything_is_spent(
        self, gate: Gate, deployment: Deployment, user: UserId, budgets: BudgetLimits, code: str
    ) -> None:
        calls, document_id = gate(budgets=budgets), DocumentId(uuid4())
        with calls.begin(PROVIDER, ESTIMATE, user, document_id):
            assert refusal(calls, user, document_id) == code
        assert refusal(calls, user, document_id) == code
        [costs] = deployment.ledger.costs()
        assert (costs.calls, costs.micro_usd) == (1, 10)

    def test_a_turn_that_comes_too_late_is_refused(self, gate: Gate, user: UserId) -> None:
        calls = gate(rates=RateLimits(requests=RateLimit(1)))
        called(calls, user)
        assert refusal(calls, user) == "service_rate_limited"
        called(calls, user, OTHER)

    def test_calls_of_a_provider_that_keeps_failing_are_refused_by_all_gates(self, gate: Gate, user: UserId) -> None:
        with pytest.raises(ResourceError, match="breaker_open"):  # noqa: PT012  some call is refused
            for _ in range(MANY):
                failed(gate(), user)
        assert refusal(gate(), user) == "breaker_open"
        called(gate(), user, OTHER)


class PaidCallContract:
    """A suite gives the fixture `begin`, whose calls are in the ledger of its deployment."""

    @pytest.fixture
    def gate(self, deployment: Deployment) -> Gate:
        raise NotImplementedError

    def test_a_settled_call_counts_with_what_it_really_used(
        self, gate: Gate, deployment: Deployment, user: UserId
    ) -> None:
        with gate().begin(PROVIDER, ESTIMATE, user, None) as call:
            self.settle(call)
        [costs] = deployment.ledger.costs()
        assert (costs.tokens, costs.micro_usd) == (90, 9)

    def test_a_call_that_is_not_settled_counts_as_its_estimate(
        self, gate: Gate, deployment: Deployment, user: UserId
    ) -> None:
        called(gate(), user)
        [costs] = deployment.ledger.costs()
        assert (costs.tokens, costs.micro_usd) == (100, 10)

    def test_what_was_settled_stays_booked_when_the_answer_proves_unusable(
        self, gate: Gate, deployment: Deployment, user: UserId
    ) -> None:
        with suppress(TransientError), gate().begin(PROVIDER, ESTIMATE, user, None) as call:
            self.settle(call)
            raise UNAVAILABLE
        assert [each.micro_usd for each in deployment.ledger.costs()] == [9]

    def test_a_bill_takes_the_place_of_the_cost_that_was_expected(
        self, gate: Gate, deployment: Deployment, user: UserId
    ) -> None:
        with gate().begin(PROVIDER, ESTIMATE, user, None) as call:
            call.settle(Usage(pages=2, credits=6, micro_usd=7500, request_id="job-1"))
        for _ in range(2):
            gate().bill(call.call_id, Usage(credits=4, micro_usd=5000))
        [costs] = deployment.ledger.costs()
        assert (costs.calls, costs.pages, costs.credits, costs.micro_usd) == (1, 2, 4, 5000)
        assert wrong_rows(deployment) == []

    def test_a_bill_surprises_nobody_who_takes_the_call_to_have_cost_as_much(
        self, gate: Gate, user: UserId, caplog: pytest.LogCaptureFixture
    ) -> None:
        with gate().begin(PROVIDER, Usage(), user, None) as call:
            call.settle(Usage(pages=101, credits=1010, micro_usd=1_262_500))
        gate().bill(call.call_id, Usage(credits=1010, micro_usd=1_262_500))
        assert "is billed" not in caplog.text
        for _ in range(2):
            gate().bill(call.call_id, Usage(credits=30_000, micro_usd=37_500_000))
        [line] = [record.message for record in caplog.records if "is billed" in record.message]
        assert line.endswith("expect 1010")

    def test_a_bill_settles_what_nobody_has_settled(self, gate: Gate, deployment: Deployment, user: UserId) -> None:
        lost = TransientError("service_unavailable", name="x")
        lost.may_have_cost = True
        estimate = Usage(pages=2, credits=6, micro_usd=7500)
        with suppress(TransientError), gate().begin(PROVIDER, estimate, user, None) as call:
            raise lost
        [costs] = deployment.ledger.costs()
        assert (costs.calls, costs.uncertain.calls) == (0, 1)
        gate().bill(call.call_id, Usage(credits=4, micro_usd=5000))
        [costs] = deployment.ledger.costs()
        assert (costs.calls, costs.uncertain.calls) == (1, 0)
        assert (costs.pages, costs.credits, costs.micro_usd) == (2, 4, 5000)
        assert wrong_rows(deployment) == []

    def test_what_certainly_cost_nothing_is_released_and_what_is_settled_stays(
        self, gate: Gate, deployment: Deployment, user: UserId
    ) -> None:
        lost = TransientError("service_unavailable", name="x")
        lost.may_have_cost = True
        with suppress(TransientError), gate().begin(PROVIDER, ESTIMATE, user, None) as uncertain:
            raise lost
        with gate().begin(PROVIDER, ESTIMATE, user, None) as certain:
            certain.settle(Usage(pages=2, credits=6, micro_usd=7500))
        for call in (uncertain, certain, uncertain):
            gate().release(call.call_id)
        [costs] = deployment.ledger.costs()
        assert (costs.calls, costs.credits, costs.uncertain.calls) == (1, 6, 0)
        assert wrong_rows(deployment) == []

    @staticmethod
    def settle(call: PaidCall) -> None:
        call.settle(USED)


class RemoteJobsContract:
    """A suite gives the fixtures: jobs of its deployment, and how a provider calls back for one."""

    @pytest.fixture
    def remote_jobs(self, deployment: Deployment) -> RemoteJobs:
        raise NotImplementedError

    @pytest.fixture
    def call_back(self, deployment: Deployment) -> Callable[[str], object]:
        """Return what a provider's callback for a job does, by the job's id there."""
        raise NotImplementedError

    @pytest.fixture
    def producer(self) -> Producer:
        return Producer("a-provider", "agentic+1")

    @pytest.fixture
    def document(self, deployment: Deployment, user: UserId) -> Document:
        found = deployment.documents.find(submit(deployment, user, policy_text()).document_id)
        assert found is not None
        return found

    def test_a_job_is_known_from_the_moment_the_provider_accepts_it(
        self, remote_jobs: RemoteJobs, document: Document, producer: Producer
    ) -> None:
        remote_jobs.prepare(document, producer)
        assert remote_jobs.recall(document, producer) is None
        remote_jobs.remember(document, producer, "job-1")
        assert remote_jobs.recall(document, producer) == RemoteJob("job-1", booked=False)
        remote_jobs.book(document, producer, "job-1")
        assert remote_jobs.recall(document, producer) == RemoteJob("job-1", booked=True)

    def test_a_job_is_of_one_content_and_one_parser(
        self, remote_jobs: RemoteJobs, document: Document, producer: Producer
    ) -> None:
        remote_jobs.prepare(document, producer)
        remote_jobs.remember(document, producer, "job-1")
        assert remote_jobs.recall(replace(document, content_sha="0" * 64), producer) is None
        assert remote_jobs.recall(document, replace(producer, version="fast+1")) is None

    def test_a_forgotten_job_is_not_known_any_more_and_booking_it_does_nothing(
        self, remote_jobs: RemoteJobs, document: Document, producer: Producer
    ) -> None:
        remote_jobs.prepare(document, producer)
        remote_jobs.remember(document, producer, "job-1")
        remote_jobs.forget(document, producer, "job-1")
        assert remote_jobs.recall(document, producer) is None
        remote_jobs.book(document, producer, "job-1")
        assert remote_jobs.recall(document, producer) is None

    def test_an_earlier_upload_does_not_take_the_place_of_a_newer_one(
        self, remote_jobs: RemoteJobs, document: Document, producer: Producer
    ) -> None:
        remote_jobs.prepare(document, producer, 1)
        remote_jobs.prepare(document, producer, 2)
        with pytest.raises(ResourceError, match="claim_lost"):
            remote_jobs.remember(document, producer, "job-1", 1)
        assert remote_jobs.recall(document, producer) is None
        remote_jobs.remember(document, producer, "job-2", 2)
        assert remote_jobs.recall(document, producer) == RemoteJob("job-2", booked=False, call_id=2)

    def test_a_job_is_remembered_again_without_harm(
        self, remote_jobs: RemoteJobs, document: Document, producer: Producer
    ) -> None:
        remote_jobs.prepare(document, producer, 1)
        for _ in range(2):
            remote_jobs.remember(document, producer, "job-1", 1)
        assert remote_jobs.recall(document, producer) == RemoteJob("job-1", booked=False, call_id=1)

    def test_a_job_of_another_document_is_never_taken_for_this_one_s(
        self, deployment: Deployment, user: UserId, remote_jobs: RemoteJobs, document: Document, producer: Producer
    ) -> None:
        remote_jobs.prepare(document, producer, 1)
        remote_jobs.remember(document, producer, "job-1", 1)
        other = deployment.documents.find(submit(deployment, user, policy_text("Other"), "other.md").document_id)
        assert other is not None
        remote_jobs.prepare(other, producer, 2)
        with pytest.raises(TransientError, match="service_job_repeated") as raised:
            remote_jobs.remember(other, producer, "job-1", 2)
        assert raised.value.may_have_cost
        assert "job-1" not in str(raised.value)
        assert raised.value.__cause__ is None
        assert remote_jobs.recall(other, producer) is None
        assert remote_jobs.recall(document, producer) == RemoteJob("job-1", booked=False, call_id=1)

    def test_an_earlier_job_that_is_forgotten_leaves_the_newer_one(
        self, remote_jobs: RemoteJobs, document: Document, producer: Producer
    ) -> None:
        remote_jobs.prepare(document, producer)
        remote_jobs.remember(document, producer, "job-2")
        remote_jobs.forget(document, producer, "job-1")
        assert remote_jobs.recall(document, producer) == RemoteJob("job-2", booked=False)

    def test_each_job_has_a_secret_of_its_own_that_nobody_guesses(
        self, remote_jobs: RemoteJobs, document: Document, producer: Producer
    ) -> None:
        first, second = (remote_jobs.prepare(document, producer) for _ in range(2))
        assert first != second
        assert min(len(first), len(second)) >= 40

    def test_a_job_is_completed_once_the_provider_has_called_back(
        self, remote_jobs: RemoteJobs, document: Document, producer: Producer, call_back: Callable[[str], object]
    ) -> None:
        remote_jobs.prepare(document, producer)
        remote_jobs.remember(document, producer, "job-1")
        assert not remote_jobs.completed("job-1")
        call_back("job-1")
        assert remote_jobs.completed("job-1")
        assert not remote_jobs.completed("job-2")

    def test_a_deleted_document_takes_its_job_with_it(
        self, deployment: Deployment, remote_jobs: RemoteJobs, document: Document, producer: Producer
    ) -> None:
        remote_jobs.prepare(document, producer)
        deployment.deletions.delete(document.document_id, TEST)
        with pytest.raises(ResourceError, match="claim_lost"):
            remote_jobs.remember(document, producer, "job-1")
        with pytest.raises(ResourceError, match="claim_lost"):
            remote_jobs.prepare(document, producer)
        assert remote_jobs.recall(document, producer) is None

    def test_a_request_is_unanswered_until_the_provider_accepts_it_or_certainly_has_not(
        self, remote_jobs: RemoteJobs, document: Document, producer: Producer
    ) -> None:
        request_id = uuid4()
        assert remote_jobs.unanswered(document, producer) is None
        remote_jobs.prepare(document, producer, 1, request_id)
        asked = remote_jobs.unanswered(document, producer)
        assert asked is not None
        assert (asked.request_id, asked.call_id) == (request_id, 1)
        remote_jobs.withdraw(request_id)
        assert remote_jobs.unanswered(document, producer) is None
        remote_jobs.prepare(document, producer, 2, uuid4())
        assert remote_jobs.unanswered(document, producer) is not None
        remote_jobs.remember(document, producer, "job-1", 2)
        assert remote_jobs.unanswered(document, producer) is None

    def test_a_job_without_a_request_id_is_never_unanswered(
        self, remote_jobs: RemoteJobs, document: Document, producer: Producer
    ) -> None:
        remote_jobs.prepare(document, producer, 1)
        assert remote_jobs.unanswered(document, producer) is None


class AvailabilityContract:
    """A suite gives the fixtures: availability of these providers, and the gate that they share with all workers.

    The first provider is needed to parse, the second one to embed.
    """

    @pytest.fixture
    def availability_of(self, deployment: Deployment) -> Callable[[Sequence[ProviderName]], Availability]:
        raise NotImplementedError

    @pytest.fixture
    def gate(self, deployment: Deployment) -> Gate:
        raise NotImplementedError

    def test_where_nobody_has_called_a_provider_it_takes_calls(
        self, availability_of: Callable[[Sequence[ProviderName]], Availability]
    ) -> None:
        assert availability_of([]).take_calls()
        assert availability_of([PROVIDER, OTHER]).take_calls()

    def test_one_provider_that_keeps_failing_is_enough_for_there_to_be_no_calls(
        self, availability_of: Callable[[Sequence[ProviderName]], Availability], gate: Gate, user: UserId
    ) -> None:
        called(gate(), user, OTHER)
        assert availability_of([PROVIDER, OTHER]).take_calls()
        with suppress(ResourceError):
            for _ in range(MANY):
                failed(gate(), user)
        assert not availability_of([PROVIDER, OTHER]).take_calls()
        assert availability_of([OTHER]).take_calls()
        assert availability_of([]).take_calls()

    def test_a_lane_asks_only_for_its_own_provider(
        self, availability_of: Callable[[Sequence[ProviderName]], Availability], gate: Gate, user: UserId
    ) -> None:
        with suppress(ResourceError):
            for _ in range(MANY):
                failed(gate(), user)
        available = availability_of([OTHER, PROVIDER])
        assert [available.take_calls(lane) for lane in (Lane.PARSE, Lane.EMBED, Lane.OCR)] == [True, False, True]

    def test_a_provider_whose_next_turn_is_far_takes_no_calls(
        self, availability_of: Callable[[Sequence[ProviderName]], Availability], gate: Gate, user: UserId
    ) -> None:
        called(gate(rates=RateLimits(requests=RateLimit(1))), user)
        assert not availability_of([PROVIDER]).take_calls()
