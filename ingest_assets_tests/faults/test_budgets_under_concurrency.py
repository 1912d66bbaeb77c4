"""Eight workers, each with its own connections, against what they share."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from threading import Barrier
from typing import TypeVar
from uuid import UUID

import psycopg
from psycopg.rows import DictRow, dict_row

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.logging_observer import LoggingObserver
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.spending.paid_calls import CostLimits, PostgresPaidCalls, Wish
from ingest_assets.adapters.providers import OPENAI
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import IngestError, ResourceError, TransientError
from ingest_assets.domain.spending.budgets import BudgetLimits
from ingest_assets.domain.spending.circuit_breaker import BreakerSettings
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.rate_limits import RateLimit, RateLimits

Result = TypeVar("Result")

WORKERS = 8
CALLS = 25
USERS = [UserId(UUID(int=number)) for number in (1, 2)]
DOCUMENTS = [DocumentId(UUID(int=number)) for number in (11, 12, 13)]
DAY, USER, DOCUMENT = 7_000, 4_500, 2_500
BUDGETS = CostLimits(
    budgets=BudgetLimits(DAY, USER, DOCUMENT), breaker=BreakerSettings(consecutive_failures=50, failure_share=2)
)
ESTIMATE = Usage(tokens=10, micro_usd=10)


class StoppedClock(SystemClock):
    """Sleeping takes no time."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def seconds(self) -> float:
        return self._seconds

    def sleep(self, seconds: float) -> None:
        self._seconds += seconds


@contextmanager
def worker(url: str, limits: CostLimits) -> Iterator[PostgresPaidCalls]:
    database, clock = Database(url, patience=60), StoppedClock()
    yield PostgresPaidCalls(database, clock, limits, clock.sleep, LoggingObserver())
    database.close()


def together(work: Callable[[int], Result]) -> list[Result]:
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(work, range(WORKERS)))


def fetch(url: str, statement: str) -> list[DictRow]:
    with psycopg.connect(url, row_factory=dict_row) as connection:
        return connection.execute(statement.encode()).fetchall()


def change(url: str, statement: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement.encode())


def failure(*, may_have_cost: bool) -> TransientError:
    error = TransientError("unexpected", error="OSError", place="a test")
    error.may_have_cost = may_have_cost
    return error


def spend(url: str, limits: CostLimits, seed: int, *, uncertain: float = 0) -> tuple[int, set[str]]:
    """What one worker was allowed to spend, and how its calls ended; a third of those let through fail.

    `uncertain` is the share of those that may have cost something all the same.
    """
    chance, spent, codes = Random(seed), 0, set()  # noqa: S311
    with worker(url, limits) as calls:
        for _ in range(CALLS):
            estimate = chance.randint(1, 200)
            wanted = Usage(tokens=estimate, micro_usd=estimate)
            try:
                with calls.begin(OPENAI.name, wanted, chance.choice(USERS), chance.choice([*DOCUMENTS, None])) as paid:
                    if chance.random() < 1 / 3:
                        raise failure(may_have_cost=chance.random() < uncertain)
                    paid.settle(Usage(micro_usd=chance.randint(estimate // 2, estimate)))
                spent += paid.usage.micro_usd
            except IngestError as error:
                codes.add(error.code)
    return spent, codes


def ledger_and_counters_agree(url: str) -> dict[tuple[str, UUID], int]:
    """What was spent of each budget."""
    counters = fetch(url, "SELECT budget, subject, micro_usd AS sum FROM upload_pipeline.spending")
    ledger = fetch(
        url,
        "SELECT budget, subject, sum(CASE WHEN doubtful THEN estimated_micro_usd ELSE micro_usd END)::bigint AS sum"
        " FROM upload_pipeline.paid_calls,"
        " upload_pipeline.budgets_of(user_id, document_id, started_at) GROUP BY 1, 2",
    )
    spent = {(row["budget"], row["subject"]): row["sum"] for row in ledger}
    assert {(row["budget"], row["subject"]): row["sum"] for row in counters} == spent
    return spent


def test_eight_workers_never_exceed_any_budget_together(database_url: str) -> None:
    told = together(partial(spend, database_url, BUDGETS))
    spent = ledger_and_counters_agree(database_url)
    most = {"day": DAY, "user": USER, "document": DOCUMENT}
    assert all(amount <= most[budget] for (budget, _), amount in spent.items())
    assert sum(amount for (budget, _), amount in spent.items() if budget == "day") == sum(mine for mine, _ in told)
    assert set.union(*(codes for _, codes in told)) == {"budget_spent", "unexpected"}


def test_counters_and_ledger_agree_although_it_is_uncertain_what_some_calls_cost(database_url: str) -> None:
    late = replace(BUDGETS, reservation=timedelta(0))
    together(partial(spend, database_url, late, uncertain=0.5))
    spent = ledger_and_counters_agree(database_url)
    assert sum(amount for (budget, _), amount in spent.items() if budget == "day") <= DAY
    assert fetch(database_url, "SELECT FROM upload_pipeline.paid_calls WHERE doubtful")


def test_the_buckets_never_let_more_through_than_capacity_and_refill(database_url: str) -> None:
    requests, tokens = RateLimit(600, burst=timedelta(seconds=2)), RateLimit(120_000, burst=timedelta(seconds=1))
    limits = CostLimits(rates={OPENAI.name: RateLimits(requests, tokens)}, longest_wait=timedelta(hours=1))

    def call_often(seed: int) -> None:
        chance = Random(seed)  # noqa: S311
        with worker(database_url, limits) as calls:
            for _ in range(CALLS):
                with calls.begin(OPENAI.name, Usage(tokens=chance.choice([1, 50, 900])), USERS[0], None):
                    pass

    together(call_often)
    rows = fetch(database_url, "SELECT expires_at, tokens FROM upload_pipeline.paid_calls ORDER BY expires_at")
    turns = [(row["expires_at"] - limits.reservation, row["tokens"]) for row in rows]
    assert len(turns) == WORKERS * CALLS
    assert_within(requests, [(at, 1) for at, _ in turns])
    assert_within(tokens, turns)


def assert_within(limit: RateLimit, turns: list[tuple[datetime, int]]) -> None:
    for first, (begin, _) in enumerate(turns):
        amount = 0
        for at, each in turns[first:]:
            amount += each
            assert limit.filling(amount) <= limit.burst + (at - begin) + timedelta(microseconds=len(turns))


def let_through(url: str, limits: CostLimits, meeting: Barrier, number: int) -> str | None:
    """The code of the refusal; whoever is let through stays in the call until everybody has tried."""
    with worker(url, limits) as calls:
        meeting.wait()
        try:
            with calls.begin(OPENAI.name, ESTIMATE, USERS[0], None):
                meeting.wait()
        except ResourceError as refusal:
            meeting.wait()
            return refusal.code
    return None


def test_of_eight_workers_at_a_half_open_breaker_one_probes(database_url: str) -> None:
    change(database_url, "UPDATE upload_pipeline.paid_services SET open_until = now()")
    told = together(partial(let_through, database_url, CostLimits(), Barrier(WORKERS, timeout=60)))
    assert sorted(map(str, told)) == ["None"] + ["breaker_open"] * 7
    with worker(database_url, CostLimits()) as calls:
        assert calls.paused_providers() == set()


def test_none_of_eight_workers_takes_what_a_crashed_one_had_reserved(database_url: str) -> None:
    limits = CostLimits(budgets=BudgetLimits(day=ESTIMATE.micro_usd))
    with worker(database_url, limits) as crashed:
        crashed._reserve(Wish(OPENAI.name, ESTIMATE, USERS[0], None))
    change(database_url, "UPDATE upload_pipeline.paid_calls SET expires_at = now()")
    told = together(partial(let_through, database_url, limits, Barrier(WORKERS, timeout=60)))
    assert told == ["budget_spent"] * 8
    rows = fetch(database_url, "SELECT outcome, count(*) FROM upload_pipeline.paid_calls GROUP BY 1 ORDER BY 1")
    assert rows == [{"outcome": "under_way", "count": 1}]


def test_failures_of_eight_workers_open_the_breaker_that_all_of_them_see(database_url: str) -> None:
    limits = CostLimits(breaker=BreakerSettings(consecutive_failures=WORKERS))
    meeting = Barrier(WORKERS, timeout=60)

    def fail(number: int) -> str:
        with worker(database_url, limits) as calls:
            try:
                with calls.begin(OPENAI.name, ESTIMATE, USERS[0], None):
                    meeting.wait()
                    raise TransientError("unexpected", error="OSError", place="a test")  # noqa: TRY301
            except TransientError:
                meeting.wait()
            try:
                with calls.begin(OPENAI.name, ESTIMATE, USERS[0], None):
                    return "let through"
            except ResourceError as refusal:
                return refusal.code

    assert together(fail) == ["breaker_open"] * WORKERS
