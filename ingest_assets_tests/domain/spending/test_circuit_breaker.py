from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.errors import OutageError, PermanentError, TransientError
from ingest_assets.domain.spending.circuit_breaker import (
    Admission,
    BreakerSettings,
    CallOutcome,
    admit,
    opens,
    outcome_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = BreakerSettings(consecutive_failures=5, failure_share=0.5, fewest_calls=10)
OUTCOMES = st.lists(st.sampled_from([CallOutcome.SUCCEEDED, CallOutcome.FAILED]), max_size=50)


def outcomes(letters: str) -> list[CallOutcome]:
    """Newest first: `x` failed, `o` succeeded."""
    return [CallOutcome.FAILED if letter == "x" else CallOutcome.SUCCEEDED for letter in letters]


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        ("", False),
        ("xxxx", False),
        ("xxxxx", True),
        ("xxxxxooooooooooooooo", True),
        ("oxxxxx", False),
        ("xoxoxoxox", False),
        ("xoxoxoxoxo", True),
        ("xooxooxooxoo", False),
        ("oooooooooo", False),
    ],
)
def test_failures_in_a_row_or_too_large_a_share_of_them_open_it(recent: str, expected: bool) -> None:  # noqa: FBT001
    assert opens(outcomes(recent), SETTINGS) is expected


@given(OUTCOMES)
def test_one_more_failure_never_keeps_open_what_would_have_opened(recent: list[CallOutcome]) -> None:
    if opens(recent, SETTINGS):
        assert opens([CallOutcome.FAILED, *recent], SETTINGS)


@given(OUTCOMES)
def test_it_opens_only_on_enough_failures(recent: list[CallOutcome]) -> None:
    if opens(recent, SETTINGS):
        failures = recent.count(CallOutcome.FAILED)
        assert failures >= min(SETTINGS.consecutive_failures, SETTINGS.failure_share * SETTINGS.fewest_calls)


def test_a_closed_breaker_admits_everybody() -> None:
    assert admit(None, NOW) is Admission.FREE


@given(st.timedeltas(timedelta(microseconds=1), timedelta(days=1)))
def test_an_open_breaker_refuses_until_its_time_has_come_and_then_wants_a_probe(ahead: timedelta) -> None:
    assert admit(NOW + ahead, NOW) is Admission.REFUSED
    assert admit(NOW, NOW) is Admission.PROBE
    assert admit(NOW - ahead, NOW) is Admission.PROBE


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (None, CallOutcome.SUCCEEDED),
        (TransientError("unexpected", error="OSError", place="a test"), CallOutcome.FAILED),
        (RuntimeError("unexpected"), CallOutcome.FAILED),
        (PermanentError("corrupt"), CallOutcome.INCONCLUSIVE),
        (OutageError("storage_full"), CallOutcome.INCONCLUSIVE),
        (KeyboardInterrupt(), CallOutcome.INCONCLUSIVE),
        (GeneratorExit(), CallOutcome.INCONCLUSIVE),
    ],
)
def test_only_what_may_be_the_services_fault_counts_as_its_failure(
    error: BaseException | None, expected: CallOutcome
) -> None:
    assert outcome_of(error) is expected


@pytest.mark.parametrize("wrong", [{"consecutive_failures": 0}, {"consecutive_failures": 51}, {"fewest_calls": 51}])
def test_a_breaker_that_could_never_judge_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="as many calls"):
        BreakerSettings(**wrong)  # type: ignore[arg-type]
