from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.errors import (
    CATALOGUE,
    IngestError,
    OutageError,
    PermanentError,
    ResourceError,
    TransientError,
)
from ingest_assets.domain.queue.retry_policy import GiveUp, RetryAt, RetryPolicy, Wait, decide, delay

NOW = datetime(2026, 1, 1, tzinfo=UTC)
POLICY = RetryPolicy()
PARSING = ["encrypted", "corrupt", "needs_ocr", "empty_output", "too_many_pages", "bomb", "unsupported"]
PARSING += ["timeout", "out_of_memory", "parser_crashed"]
FACTS = {"seconds": 1, "megabytes": 1, "pages": 2, "limit": 1}
JITTER = st.floats(min_value=0, max_value=1, exclude_max=True)


@pytest.mark.parametrize(("retry", "seconds"), [(0, 3), (1, 6), (2, 12), (6, 192), (7, 300), (40, 300), (10_000, 300)])
def test_the_delay_doubles_from_three_seconds_up_to_five_minutes(retry: int, seconds: int) -> None:
    assert delay(POLICY, retry) == timedelta(seconds=seconds)


@given(st.integers(min_value=1, max_value=3), JITTER)
def test_jitter_only_ever_adds_up_to_a_quarter(attempt: int, jitter: float) -> None:
    decision = decide(POLICY, TransientError("unexpected", error="OSError", place="a test"), attempt, NOW, jitter)
    assert isinstance(decision, RetryAt)
    base = delay(POLICY, attempt - 1)
    assert base <= decision.when - NOW <= base * 1.25


def test_three_retries_then_a_dead_letter() -> None:
    error = TransientError("unexpected", error="OSError", place="a test")
    decisions = [decide(POLICY, error, attempt, NOW, 0) for attempt in (1, 2, 3, 4)]
    assert [type(decision) for decision in decisions] == [RetryAt, RetryAt, RetryAt, GiveUp]


def test_an_error_may_allow_fewer_retries_than_the_policy() -> None:
    error = TransientError("timeout", seconds=1)
    assert isinstance(decide(POLICY, error, 1, NOW, 0), RetryAt)
    assert decide(POLICY, error, 2, NOW, 0) == GiveUp()


def test_of_what_may_become_of_a_parse_only_what_exhausts_a_worker_is_retried_and_once() -> None:
    errors = [CATALOGUE[code].error(code, **FACTS) for code in PARSING]
    retried = {error.code for error in errors if isinstance(decide(POLICY, error, 1, NOW, 0), RetryAt)}

    assert retried == {"timeout", "out_of_memory", "parser_crashed"}
    assert all(decide(POLICY, error, 2, NOW, 0) == GiveUp() for error in errors)


@pytest.mark.parametrize("code", ["parser_killed", "host_out_of_memory"])
def test_what_the_host_does_to_a_parser_is_retried_several_times_and_not_for_ever(code: str) -> None:
    error = TransientError(code, signal=9)
    decisions = [decide(POLICY, error, attempt, NOW, 0) for attempt in (1, 2, 3, 4)]
    assert [type(decision) for decision in decisions] == [RetryAt, RetryAt, RetryAt, GiveUp]


@given(st.sampled_from(["parsing_slow", "recognition_slow"]), JITTER)
def test_what_has_its_turn_among_slow_documents_needs_no_pause(code: str, jitter: float) -> None:
    assert decide(POLICY, ResourceError(code, seconds=10), 1, NOW, jitter) == Wait(NOW)


@given(st.integers(min_value=1, max_value=100), JITTER)
def test_a_permanent_error_is_a_dead_letter_at_once(attempt: int, jitter: float) -> None:
    assert decide(POLICY, PermanentError("encrypted"), attempt, NOW, jitter) == GiveUp()


@given(st.integers(min_value=1, max_value=100), JITTER)
def test_a_missing_resource_is_waited_for_without_end_and_burns_nothing(attempt: int, jitter: float) -> None:
    decision = decide(POLICY, OutageError("storage_full"), attempt, NOW, jitter)
    assert isinstance(decision, Wait)
    assert decision.when > NOW


ASKED = st.floats(min_value=0, max_value=1e9)


def asking(error: IngestError, seconds: float | None) -> IngestError:
    error.retry_after = seconds
    return error


FAILURES = st.sampled_from(["service_busy", "service_quota_spent"])


def pause(code: str, seconds: float | None, jitter: float = 0.0, attempt: int = 1) -> timedelta:
    """How long a job waits whose provider asked for so many seconds."""
    error = asking(CATALOGUE[code].error(code, name="The provider"), seconds)
    decision = decide(POLICY, error, attempt, NOW, jitter)
    assert isinstance(decision, RetryAt | Wait)
    return decision.when - NOW


@pytest.mark.parametrize(
    ("code", "asked", "seconds"),
    [
        ("service_busy", 600, 600),
        ("service_busy", 1, 3),
        ("service_busy", 0, 3),
        ("service_busy", None, 3),
        ("service_quota_spent", 600, 600),
        ("service_quota_spent", 1, 30),
        ("service_quota_spent", None, 30),
        ("service_busy", 86_400, 86_400),
        ("service_busy", 999_999_999, 86_400),
        ("service_quota_spent", 999_999_999, 86_400),
    ],
)
def test_a_job_waits_for_the_curve_or_for_what_the_provider_asked_whichever_is_longer(
    code: str, asked: float | None, seconds: float
) -> None:
    assert pause(code, asked) == timedelta(seconds=seconds)


@given(FAILURES, ASKED, st.integers(min_value=1, max_value=10), JITTER)
def test_jitter_never_sends_a_job_back_earlier_than_the_provider_asked(
    code: str, asked: float, attempt: int, jitter: float
) -> None:
    waited = pause(code, asked, jitter, attempt)
    assert waited >= timedelta(seconds=min(asked, 86_400))
    assert waited >= pause(code, None, 0.0, attempt)
    assert waited <= max(pause(code, asked, 0.0, attempt), timedelta(days=1)) + POLICY.longest_delay / 4


@given(FAILURES, st.floats(min_value=600, max_value=1e9))
def test_jobs_that_a_provider_sent_away_together_return_apart(code: str, asked: float) -> None:
    assert pause(code, asked, 0.5) - pause(code, asked, 0.1) == timedelta(seconds=30)


def test_what_a_provider_asks_for_makes_nothing_permanent_be_tried_again() -> None:
    error = asking(PermanentError("encrypted"), 600)
    assert decide(POLICY, error, 1, NOW, 0) == GiveUp()


def test_a_provider_that_serves_nobody_is_waited_for_long_but_not_for_ever() -> None:
    error = OutageError("service_away", name="The provider", what="it fails")
    assert isinstance(decide(POLICY, error, 200, NOW, 0.0), Wait)
    assert decide(POLICY, error, 201, NOW, 0.0) == GiveUp()
