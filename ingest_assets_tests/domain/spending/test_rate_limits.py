from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.domain.spending.rate_limits import Demand, RateLimit, book

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

BURST = st.timedeltas(timedelta(0), timedelta(minutes=2))
LIMIT = st.builds(RateLimit, st.integers(1, 1_000_000), BURST)
GAP = st.timedeltas(timedelta(0), timedelta(seconds=30))
ASKED = st.lists(st.tuples(GAP, st.integers(0, 5_000)), min_size=1, max_size=30)


@dataclass(frozen=True)
class Passed:
    at: datetime
    amounts: tuple[int, ...]


def play(limits: Sequence[RateLimit | None], asked: Sequence[tuple[timedelta, tuple[int, ...]]]) -> list[Passed]:
    """The turns of calls that ask one after the other, each with an amount for each of the buckets."""
    now, booked, turns = NOW, tuple(LONG_AGO for _ in limits), []
    for gap, amounts in asked:
        now += gap
        turn = book([Demand(*each) for each in zip(limits, booked, amounts, strict=True)], now)
        assert turn.at >= now
        booked = turn.booked_until
        turns.append(Passed(turn.at, amounts))
    return turns


def assert_within(limit: RateLimit, passed: Sequence[tuple[datetime, int]]) -> None:
    """In no stretch of time more than a full bucket, or its largest call, with what flows in meanwhile."""
    for first in range(len(passed)):
        amounts = 0
        for at, amount in passed[first:]:
            amounts += amount
            largest = max(amount for _, amount in passed)
            capacity = max(limit.burst, limit.filling(largest)) / timedelta(minutes=1) * limit.per_minute
            flowed_in = (at - passed[first][0]) / timedelta(minutes=1) * limit.per_minute
            assert amounts <= capacity + flowed_in + 1e-3


@given(LIMIT, ASKED)
def test_never_more_comes_through_than_capacity_and_refill(
    limit: RateLimit, asked: list[tuple[timedelta, int]]
) -> None:
    turns = play([limit], [(gap, (amount,)) for gap, amount in asked])
    assert_within(limit, [(turn.at, turn.amounts[0]) for turn in turns])


@given(LIMIT, LIMIT, ASKED)
def test_two_buckets_keep_their_limits_together(
    requests: RateLimit, tokens: RateLimit, asked: list[tuple[timedelta, int]]
) -> None:
    turns = play([requests, tokens], [(gap, (1, amount)) for gap, amount in asked])
    assert_within(requests, [(turn.at, 1) for turn in turns])
    assert_within(tokens, [(turn.at, turn.amounts[1]) for turn in turns])


@given(LIMIT, LIMIT, ASKED)
def test_turns_come_in_the_order_in_which_they_were_asked_for(
    requests: RateLimit, tokens: RateLimit, asked: list[tuple[timedelta, int]]
) -> None:
    turns = play([requests, tokens], [(gap, (1, amount)) for gap, amount in asked])
    assert all(one.at <= other.at for one, other in pairwise(turns))


@given(LIMIT, st.integers(0, 10**7))
def test_a_full_bucket_lets_even_the_largest_call_through_at_once(limit: RateLimit, amount: int) -> None:
    assert book([Demand(limit, LONG_AGO, amount)], NOW).at == NOW


@given(ASKED)
def test_without_a_limit_nobody_waits(asked: list[tuple[timedelta, int]]) -> None:
    arrivals = NOW
    for (gap, _), turn in zip(asked, play([None], [(gap, (amount,)) for gap, amount in asked]), strict=True):
        arrivals += gap
        assert turn.at == arrivals


def test_an_even_stream_at_the_limit_never_waits() -> None:
    every_second = [(timedelta(seconds=1), (1,))] * 100
    turns = play([RateLimit(60)], every_second)
    assert [turn.at for turn in turns] == [NOW + timedelta(seconds=number) for number in range(1, 101)]


def test_a_burst_goes_through_at_once_and_the_rest_at_the_limits_pace() -> None:
    at_once = [(timedelta(0), (1,))] * 13
    waits = [(turn.at - NOW).total_seconds() for turn in play([RateLimit(60)], at_once)]
    assert waits == [0] * 10 + [1, 2, 3]


def test_a_call_above_the_bucket_makes_the_next_one_wait_for_all_of_it() -> None:
    asked = [(timedelta(0), (60,)), (timedelta(0), (1,))]
    assert [(turn.at - NOW).total_seconds() for turn in play([RateLimit(60)], asked)] == [0, 51]


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        RateLimit(0)
