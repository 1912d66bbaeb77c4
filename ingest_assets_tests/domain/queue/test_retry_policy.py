from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.errors import CATALOGUE, PermanentError, ResourceError, TransientError
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
    decision = decide(POLICY, TransientError("storage_failed"), attempt, NOW, jitter)
    assert isinstance(decision, RetryAt)
    base = delay(POLICY, attempt - 1)
    assert base <= decision.when - NOW <= base * 1.25


def test_three_retries_then_a_dead_letter() -> None:
    error = TransientError("storage_failed")
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


@given(st.integers(min_value=1, max_value=100), JITTER)
def test_a_permanent_error_is_a_dead_letter_at_once(attempt: int, jitter: float) -> None:
    assert decide(POLICY, PermanentError("encrypted"), attempt, NOW, jitter) == GiveUp()


@given(st.integers(min_value=1, max_value=100), JITTER)
def test_a_missing_resource_is_waited_for_without_end_and_burns_nothing(attempt: int, jitter: float) -> None:
    decision = decide(POLICY, ResourceError("storage_full"), attempt, NOW, jitter)
    assert isinstance(decision, Wait)
    assert decision.when > NOW
