"""Predictions follow what was, and say how wrong they have been."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ingest_assets.domain.predictions import (
    BATCH,
    FEWEST_DAYS,
    FEWEST_DOCUMENTS,
    FEWEST_OF_A_TYPE,
    Durations,
    MonthPrediction,
    PastWork,
    TooLittle,
    Work,
    WorkPrediction,
    at_once,
    batch_error,
    busy_seconds,
    document_error,
    predict_month,
    predict_work,
)

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
TODAY = date(2026, 3, 11)
SIZES = st.integers(1, 25_000_000)
KINDS = st.sampled_from(["application/pdf", "text/markdown", "text/plain"])
PAST = st.lists(
    st.builds(
        lambda kind, size, start, seconds: PastWork(
            kind, size, BEGAN + timedelta(seconds=start), BEGAN + timedelta(seconds=start + seconds)
        ),
        KINDS,
        SIZES,
        st.floats(0, 1e5),
        st.floats(0.001, 1e4),
    ),
    min_size=1,
    max_size=60,
).map(lambda past: sorted(past, key=lambda each: each.ended_at))
COSTS = st.dictionaries(
    st.integers(0, 60).map(lambda back: TODAY - timedelta(days=back)), st.integers(0, 10**9), max_size=60
)


def worked(
    sizes: list[int], seconds_of: Callable[[int], float], kind: str = "text/markdown", together: int = 1
) -> list[PastWork]:
    """Documents one after the other, or `together` of them at the same time."""
    past, at = [], BEGAN
    for place, size in enumerate(sizes):
        ended = at + timedelta(seconds=seconds_of(size))
        past.append(PastWork(kind, size, at, ended))
        if place % together == together - 1:
            at = max(each.ended_at for each in past[-together:])
    return past


@given(
    st.lists(SIZES, min_size=FEWEST_OF_A_TYPE, max_size=40).filter(lambda sizes: len(set(sizes)) > 1),
    st.floats(0.01, 10),
    st.floats(1e-7, 1e-4),
    SIZES,
)
def test_a_line_is_found_where_there_is_one(sizes: list[int], base: float, rate: float, size: int) -> None:
    assume(max(sizes) > 2 * min(sizes))  # times are whole microseconds: nearly equal sizes say nothing of a slope
    assume(rate * (max(sizes) - min(sizes)) > 0.01)
    past = worked(sizes, lambda each: base + rate * each)
    found = Durations(past).seconds(Work("text/markdown", 1, size))
    assert found == pytest.approx(base + rate * size, rel=0.01, abs=0.001 * (1 + size / (max(sizes) - min(sizes))))


@given(PAST, KINDS, SIZES, SIZES)
def test_a_prediction_is_positive_and_a_larger_document_takes_no_less(
    past: list[PastWork], kind: str, one: int, other: int
) -> None:
    durations = Durations(past)
    small, large = (durations.seconds(Work(kind, 1, size)) for size in sorted((one, other)))
    assert 0 < small <= large


@given(PAST, KINDS, st.lists(SIZES, min_size=1, max_size=9))
def test_documents_together_take_as_long_as_one_after_the_other(
    past: list[PastWork], kind: str, sizes: list[int]
) -> None:
    durations = Durations(past)
    apart = sum(durations.seconds(Work(kind, 1, size)) for size in sizes)
    assert durations.seconds(Work(kind, len(sizes), sum(sizes))) == pytest.approx(apart)


@given(PAST)
def test_what_was_learnt_from_takes_together_what_it_took(past: list[PastWork]) -> None:
    """A line of least squares goes through the mean, except where it would begin below zero."""
    same = [PastWork("text/plain", 1000, each.began_at, each.ended_at) for each in past]
    total = Durations(same).seconds(Work("text/plain", len(same), 1000 * len(same)))
    assert total == pytest.approx(sum(each.seconds for each in same))


@given(PAST, st.timedeltas(timedelta(days=-99), timedelta(days=99)))
def test_when_it_was_changes_nothing(past: list[PastWork], later: timedelta) -> None:
    moved = [PastWork(each.media_type, each.byte_size, each.began_at + later, each.ended_at + later) for each in past]
    assert busy_seconds(moved) == pytest.approx(busy_seconds(past))
    assert document_error(moved) == document_error(past)


@given(PAST)
def test_busy_time_is_no_longer_than_all_work_and_no_shorter_than_any(past: list[PastWork]) -> None:
    busy = busy_seconds(past)
    assert max(each.seconds for each in past) <= busy + 1e-6
    assert busy <= sum(each.seconds for each in past) + 1e-6
    assert at_once(past) >= 1


@given(PAST, st.integers(0, 60))
def test_the_times_of_batches_add_up_to_the_whole(past: list[PastWork], at: int) -> None:
    """Nobody's time counts twice, even if documents of two batches were worked on at once."""
    before, after = past[:at], past[at:]
    since = max((each.ended_at for each in before), default=None)
    assert busy_seconds(before) + busy_seconds(after, since) <= busy_seconds(past) + 1e-6


@pytest.mark.parametrize("together", [1, 2, 4])
def test_work_side_by_side_takes_its_share_of_the_time(together: int) -> None:
    past = worked([1000] * 40, lambda _: 2.0, together=together)
    found = predict_work(past, [Work("text/markdown", 40, 40_000)])
    assert isinstance(found, WorkPrediction)
    assert found.seconds == pytest.approx(80 / together)
    assert found.batch_error == pytest.approx(0, abs=1e-6)


def test_a_document_alone_takes_its_own_time() -> None:
    past = worked([1000] * 40, lambda _: 2.0, together=4)
    found = predict_work(past, [Work("text/markdown", 1, 1000)])
    assert isinstance(found, WorkPrediction)
    assert found.seconds == pytest.approx(2)


def test_a_type_has_its_own_line_once_it_is_common_enough() -> None:
    many = worked([1000] * 30, lambda _: 1.0)
    few = worked([1000] * (FEWEST_OF_A_TYPE - 1), lambda _: 9.0, "application/pdf")
    rare = Durations([*many, *few]).seconds(Work("application/pdf", 1, 1000))
    assert 1 < rare < 9
    assert Durations([*many, *few, few[0]]).seconds(Work("application/pdf", 1, 1000)) == pytest.approx(9)
    assert Durations([*many, *few]).seconds(Work("text/csv", 1, 1000)) == pytest.approx(rare)


def test_with_too_little_history_nothing_is_predicted_and_it_says_how_much_is_missing() -> None:
    past = worked([1000] * (FEWEST_DOCUMENTS - 1), lambda _: 1.0)
    assert predict_work(past, []) == TooLittle(FEWEST_DOCUMENTS - 1, FEWEST_DOCUMENTS)
    assert predict_work([], []) == TooLittle(0, FEWEST_DOCUMENTS)
    enough = predict_work([*past, past[0]], [])
    assert isinstance(enough, WorkPrediction)
    assert (enough.seconds, enough.document_error, enough.batch_error) == (0, None, None)


def test_the_error_is_that_of_predictions_from_what_came_before() -> None:
    steady = worked([1000] * FEWEST_DOCUMENTS, lambda _: 1.0)
    assert document_error([*steady, *steady[:BATCH]]) == pytest.approx(0)
    twice = worked([1000] * BATCH, lambda _: 2.0)
    twice = [replace(each, began_at=each.began_at + DAY, ended_at=each.ended_at + DAY) for each in twice]
    [first] = twice[:1]
    assert document_error([*steady, first]) == pytest.approx(0.5)
    assert batch_error([*steady, *twice]) == pytest.approx(0.5)
    assert batch_error([*steady, *twice[1:]]) is None


@given(PAST)
def test_errors_do_not_depend_on_what_is_to_be_done(past: list[PastWork]) -> None:
    nothing, much = (predict_work(past, work) for work in ([], [Work("text/plain", 9, 9000)]))
    if isinstance(nothing, WorkPrediction) and isinstance(much, WorkPrediction):
        assert (nothing.document_error, nothing.batch_error) == (much.document_error, much.batch_error)
        assert nothing.seconds == 0 < much.seconds
    else:
        assert nothing == much


def days(*costs: int) -> dict[date, int]:
    """What the days before today have cost, the last one yesterday."""
    return {TODAY - timedelta(days=len(costs) - place): cost for place, cost in enumerate(costs)}


def test_a_month_costs_what_it_has_cost_and_the_usual_for_each_day_left() -> None:
    found = predict_month(days(*[10] * 10), TODAY)
    assert found == MonthPrediction(310, 100, 10, None)
    exact = predict_month(days(*[10] * 20), TODAY)
    assert isinstance(exact, MonthPrediction)
    assert exact.week_error == 0


def test_a_day_that_has_cost_more_than_usual_already_counts_as_it_is() -> None:
    assert predict_month(days(*[10] * 10) | {TODAY: 50}, TODAY) == MonthPrediction(350, 150, 10, None)
    assert predict_month(days(*[10] * 10) | {TODAY: 4}, TODAY) == MonthPrediction(310, 104, 10, None)


def test_a_month_after_few_days_is_not_predicted() -> None:
    assert predict_month({}, TODAY) == TooLittle(0, FEWEST_DAYS)
    assert predict_month({TODAY: 5}, TODAY) == TooLittle(0, FEWEST_DAYS)
    assert predict_month(days(*[10] * (FEWEST_DAYS - 1)), TODAY) == TooLittle(FEWEST_DAYS - 1, FEWEST_DAYS)


@given(COSTS)
def test_a_month_never_costs_less_than_it_has_and_free_days_are_days(costs: dict[date, int]) -> None:
    found = predict_month(costs, TODAY)
    if isinstance(found, MonthPrediction):
        assert found.spent_micro_usd <= found.micro_usd
        without_zeros = {day: cost for day, cost in costs.items() if cost}
        assert predict_month(without_zeros, TODAY) == found
