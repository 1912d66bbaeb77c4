"""The guards and the ledger on a real Postgres; time passes by moving what is stored into the past."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.logging_observer import LoggingObserver
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.queue.flow import PostgresPauses
from ingest_assets.adapters.postgres.spending.availability import PostgresAvailability
from ingest_assets.adapters.postgres.spending.ledger import Ledger
from ingest_assets.adapters.postgres.spending.paid_calls import CostLimits, PostgresPaidCalls, Wish
from ingest_assets.adapters.providers import LLAMAPARSE, OPENAI
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import IngestError, OutageError, PermanentError, TransientError
from ingest_assets.domain.facts import Fact, ProviderAnswered
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.queue.pauses import Paused
from ingest_assets.domain.spending.budgets import BudgetLimits
from ingest_assets.domain.spending.circuit_breaker import BreakerSettings
from ingest_assets.domain.spending.costs import UncertainCosts, Usage
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.rate_limits import RateLimit, RateLimits
from ingest_assets_tests.conftest import TEMPLATE, _database

ESTIMATE = Usage(tokens=100, micro_usd=10)
USED = Usage(tokens=90, micro_usd=9, request_id="req-1")
UNAVAILABLE = TransientError("service_unavailable", name="The embedding provider")


@dataclass
class SleptClock(SystemClock):
    """A monotonic clock that only sleeping moves."""

    slept: list[float] = field(default_factory=list)

    def seconds(self) -> float:
        return sum(self.slept)


CLEAR = """
TRUNCATE upload_pipeline.paid_calls, upload_pipeline.spending;
DELETE FROM upload_pipeline.paid_services WHERE service NOT IN ('llamaparse', 'openai');
UPDATE upload_pipeline.paid_services
SET requests_booked_until = DEFAULT, tokens_booked_until = DEFAULT, open_until = DEFAULT, closed_at = DEFAULT
"""


@pytest.fixture(scope="module")
def ledger_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """One database for all tests here: each finds its tables as they were made."""
    yield from _database(postgres, TEMPLATE)


@pytest.fixture
def database(ledger_url: str) -> Iterator[Database]:
    with psycopg.connect(ledger_url) as connection:
        connection.execute(CLEAR.encode())
    made = Database(ledger_url)
    yield made
    made.close()


@pytest.fixture
def clock() -> SleptClock:
    return SleptClock()


@pytest.fixture
def guarded(database: Database, clock: SleptClock) -> Callable[[CostLimits], PostgresPaidCalls]:
    return lambda limits: PostgresPaidCalls(database, clock, limits, clock.slept.append, LoggingObserver())


Guarded = Callable[[CostLimits], PostgresPaidCalls]


def call(
    calls: PostgresPaidCalls, user: UserId, estimate: Usage = ESTIMATE, document: DocumentId | None = None
) -> None:
    with calls.begin(OPENAI.name, estimate, user, document):
        pass


def fail(calls: PostgresPaidCalls, user: UserId, error: BaseException = UNAVAILABLE) -> None:
    with suppress(type(error)), calls.begin(OPENAI.name, ESTIMATE, user, None):
        raise error


def crash(calls: PostgresPaidCalls, user: UserId) -> None:
    """A worker that dies during its call."""
    calls._reserve(Wish(OPENAI.name, ESTIMATE, user, None))


def unanswered() -> TransientError:
    error = TransientError("service_slow", name="The provider")
    error.may_have_cost = True
    return error


def refusal(
    calls: PostgresPaidCalls, user: UserId, estimate: Usage = ESTIMATE, document: DocumentId | None = None
) -> str:
    """The code with which the call is refused; the block must not be entered."""
    with pytest.raises(IngestError) as raised, calls.begin(OPENAI.name, estimate, user, document):
        pytest.fail("the call was let through")
    return raised.value.code


def pass_time(database: Database, passed: timedelta) -> None:
    with database.connection() as connection:
        connection.execute(
            "UPDATE upload_pipeline.paid_services SET requests_booked_until = requests_booked_until - %(passed)s,"
            " tokens_booked_until = tokens_booked_until - %(passed)s, open_until = open_until - %(passed)s,"
            " closed_at = closed_at - %(passed)s",
            {"passed": passed},
        )
        connection.execute(
            "UPDATE upload_pipeline.paid_calls SET started_at = started_at - %(passed)s,"
            " expires_at = expires_at - %(passed)s, settled_at = settled_at - %(passed)s",
            {"passed": passed},
        )
        connection.execute(
            "UPDATE upload_pipeline.spending SET day = day - %(days)s WHERE budget <> 'document'",
            {"days": passed.days},
        )


def rows(database: Database) -> list[dict[str, object]]:
    with database.connection() as connection:
        return connection.execute("SELECT * FROM upload_pipeline.paid_calls ORDER BY call_id").fetchall()


def taken(database: Database) -> dict[str, int]:
    with database.connection() as connection:
        found = connection.execute(
            "SELECT budget, sum(micro_usd)::bigint AS sum FROM upload_pipeline.spending GROUP BY 1"
        )
        return {row["budget"]: row["sum"] for row in found}


# The ledger


def test_a_settled_call_is_in_the_ledger_with_what_it_really_used(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    document = DocumentId(uuid4())
    with guarded(CostLimits()).begin(OPENAI.name, ESTIMATE, user, document) as paid:
        paid.settle(USED)
    [row] = rows(database)
    assert (row["service"], row["user_id"], row["document_id"], row["outcome"]) == (
        "openai",
        user,
        document,
        "succeeded",
    )
    assert (row["tokens"], row["micro_usd"], row["request_id"]) == (90, 9, "req-1")
    assert row["settled_at"] is not None
    assert taken(database) == {"day": 9, "user": 9, "document": 9}


def test_a_call_that_ends_well_without_being_settled_used_its_estimate(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    call(guarded(CostLimits()), user)
    [row] = rows(database)
    assert (row["tokens"], row["micro_usd"], row["outcome"]) == (100, 10, "succeeded")


def test_a_call_that_fails_gives_its_reservation_back_and_stays_in_the_ledger(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    with suppress(TransientError), guarded(CostLimits()).begin(OPENAI.name, ESTIMATE, user, None):
        assert taken(database) == {"day": 10, "user": 10}
        raise UNAVAILABLE
    [row] = rows(database)
    assert (row["outcome"], row["micro_usd"], row["tokens"]) == ("failed", 0, 0)
    assert taken(database) == {"day": 0, "user": 0}


def test_what_was_settled_stays_booked_when_the_answer_proves_unusable(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    with suppress(TransientError), guarded(CostLimits()).begin(OPENAI.name, ESTIMATE, user, None) as paid:
        paid.settle(USED)
        raise TransientError("vectors_invalid", found=0, expected=1)
    [row] = rows(database)
    assert (row["outcome"], row["micro_usd"]) == ("failed", 9)
    assert taken(database) == {"day": 9, "user": 9}


def test_no_transaction_is_open_while_a_call_is_under_way(database: Database, guarded: Guarded, user: UserId) -> None:
    with guarded(CostLimits()).begin(OPENAI.name, ESTIMATE, user, None), database.connection() as connection:
        found = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    assert found == {"count": 0}


def test_costs_are_summed_by_provider_by_day_and_by_user(
    database: Database, guarded: Guarded, user: UserId, other_user: UserId
) -> None:
    calls = guarded(CostLimits())
    call(calls, user)
    pass_time(database, timedelta(days=1))
    call(calls, user)
    call(calls, other_user)
    fail(calls, other_user)
    with calls.begin(LLAMAPARSE.name, Usage(pages=2, credits=6, micro_usd=7500), user, None):
        pass
    ledger = Ledger(database)
    totals = {
        each.provider: (each.calls, each.tokens, each.pages, each.credits, each.micro_usd) for each in ledger.costs()
    }
    assert totals == {OPENAI.name: (3, 300, 0, 0, 30), LLAMAPARSE.name: (1, 0, 2, 6, 7500)}
    assert [(each.provider, each.calls) for each in ledger.costs(by_day=True)] == [
        (OPENAI.name, 1),
        (LLAMAPARSE.name, 1),
        (OPENAI.name, 2),
    ]
    by_user = {(each.user_id, each.provider): each.calls for each in ledger.costs(by_user=True)}
    assert by_user == {(user, OPENAI.name): 2, (user, LLAMAPARSE.name): 1, (other_user, OPENAI.name): 1}


# Budgets


@pytest.mark.parametrize("budget", ["day", "user", "document"])
def test_each_budget_refuses_the_call_that_would_exceed_it_and_names_itself(
    guarded: Guarded, user: UserId, budget: str
) -> None:
    calls, document = guarded(CostLimits(budgets=BudgetLimits(**{budget: 25}))), DocumentId(uuid4())
    call(calls, user, document=document)
    call(calls, user, document=document)
    with (
        pytest.raises(IngestError, match=f"budget per {budget}"),
        calls.begin(OPENAI.name, ESTIMATE, user, document),
    ):
        pytest.fail("the call was let through")
    call(calls, user, replace(ESTIMATE, micro_usd=5), document)


def test_a_refused_call_leaves_nothing_behind(database: Database, guarded: Guarded, user: UserId) -> None:
    limits = CostLimits(budgets=BudgetLimits(user=5), rates={OPENAI.name: RateLimits(requests=RateLimit(1))})
    calls = guarded(limits)
    assert refusal(calls, user) == "budget_spent"
    assert rows(database) == []
    assert taken(database) == {}
    call(calls, user, replace(ESTIMATE, micro_usd=5))


def test_one_users_budget_leaves_other_users_alone(guarded: Guarded, user: UserId, other_user: UserId) -> None:
    calls = guarded(CostLimits(budgets=BudgetLimits(user=10)))
    call(calls, user)
    call(calls, other_user)
    assert refusal(calls, user) == "budget_spent"


def test_a_new_day_brings_new_budgets_but_not_to_a_document(database: Database, guarded: Guarded, user: UserId) -> None:
    calls, document = guarded(CostLimits(budgets=BudgetLimits(day=10, user=10, document=15))), DocumentId(uuid4())
    call(calls, user, document=document)
    assert refusal(calls, user) == "budget_spent"
    pass_time(database, timedelta(days=1))
    assert refusal(calls, user, document=document) == "document_budget_spent"
    call(calls, user)


def test_days_begin_at_midnight_utc(database_url: str, clock: SleptClock, user: UserId) -> None:
    """The server's own time zone is a day ahead of UTC for most of it."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET timezone = 'Pacific/Kiritimati'").format(sql.Identifier(name))
        )
        before = datetime.now(UTC).date()
        ahead = Database(database_url)
        call(PostgresPaidCalls(ahead, clock, CostLimits(), clock.slept.append, LoggingObserver()), user)
        ahead.close()
        found = connection.execute("SELECT DISTINCT day FROM upload_pipeline.spending").fetchone()
    assert found is not None
    assert before <= found[0] <= datetime.now(UTC).date()


def test_a_reservation_counts_until_it_is_settled_for_less(guarded: Guarded, user: UserId) -> None:
    calls = guarded(CostLimits(budgets=BudgetLimits(day=19)))
    with calls.begin(OPENAI.name, ESTIMATE, user, None) as paid:
        assert refusal(calls, user) == "budget_spent"
        paid.settle(USED)
    call(calls, user)


def test_a_call_that_cost_more_than_estimated_counts_in_full(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    calls = guarded(CostLimits(budgets=BudgetLimits(day=30)))
    with calls.begin(OPENAI.name, ESTIMATE, user, None) as paid:
        paid.settle(replace(USED, micro_usd=25))
    assert taken(database)["day"] == 25
    assert refusal(calls, user) == "budget_spent"


def test_a_call_without_a_price_needs_no_budget(guarded: Guarded, user: UserId) -> None:
    calls = guarded(CostLimits(budgets=BudgetLimits(day=0)))
    call(calls, user, Usage(tokens=10))
    assert refusal(calls, user, Usage(micro_usd=1)) == "budget_spent"


def test_what_a_crashed_worker_may_have_spent_is_not_spent_again_that_day(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    calls = guarded(CostLimits(budgets=BudgetLimits(day=10), reservation=timedelta(minutes=30)))
    crash(calls, user)
    assert refusal(calls, user) == "budget_spent"
    pass_time(database, timedelta(minutes=31))
    assert refusal(calls, user) == "budget_spent"
    pass_time(database, timedelta(days=1))
    call(calls, user)
    assert [row["outcome"] for row in rows(database)] == ["under_way", "succeeded"]


def test_what_a_crashed_worker_may_have_spent_counts_against_its_document_for_good(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    document = DocumentId(uuid4())
    calls = guarded(CostLimits(budgets=BudgetLimits(document=15)))
    calls._reserve(Wish(OPENAI.name, ESTIMATE, user, document))
    pass_time(database, timedelta(days=3))
    assert refusal(calls, user, document=document) == "document_budget_spent"


def test_a_call_that_ends_late_counts_in_full(database: Database, guarded: Guarded, user: UserId) -> None:
    calls = guarded(CostLimits(budgets=BudgetLimits(day=10), reservation=timedelta(minutes=30)))
    with calls.begin(OPENAI.name, ESTIMATE, user, None) as slow:
        pass_time(database, timedelta(minutes=31))
        assert refusal(calls, user) == "budget_spent"
        slow.settle(USED)
    assert [row["outcome"] for row in rows(database)] == ["succeeded"]
    assert taken(database)["day"] == 9


# What is uncertain


def uncertain(database: Database) -> UncertainCosts:
    [costs] = Ledger(database).costs()
    return costs.uncertain


def test_a_crashed_workers_call_is_uncertain_and_costs_at_most_its_estimate(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    calls = guarded(CostLimits())
    call(calls, user)
    calls._reserve(Wish(OPENAI.name, Usage(tokens=7, pages=5, credits=3, micro_usd=2), user, None))
    [costs] = Ledger(database).costs()
    assert (costs.calls, costs.tokens, costs.micro_usd) == (1, 100, 10)
    assert costs.uncertain == UncertainCosts(calls=1, tokens=7, pages=5, credits=3, micro_usd=2)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1), unanswered()])
def test_a_call_whose_answer_never_arrived_is_uncertain_and_keeps_its_reservation(
    database: Database, guarded: Guarded, user: UserId, error: BaseException
) -> None:
    fail(guarded(CostLimits()), user, error)
    assert uncertain(database) == UncertainCosts(calls=1, tokens=100, micro_usd=10)
    assert taken(database) == {"day": 10, "user": 10}
    assert [row["micro_usd"] for row in rows(database)] == [0]


def test_a_call_that_was_refused_or_settled_is_not_uncertain(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    calls = guarded(CostLimits())
    fail(calls, user, UNAVAILABLE)
    with suppress(TransientError), calls.begin(OPENAI.name, ESTIMATE, user, None) as paid:
        paid.settle(USED)
        raise unanswered()
    assert uncertain(database) == UncertainCosts()
    assert taken(database)["day"] == 9


def test_a_worker_that_is_interrupted_before_its_turn_has_spent_nothing(database: Database, user: UserId) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    rates = {OPENAI.name: RateLimits(requests=RateLimit(6, burst=timedelta(seconds=10)))}
    calls = PostgresPaidCalls(database, SleptClock(), CostLimits(rates=rates), interrupt, LoggingObserver())
    call(calls, user)
    with pytest.raises(KeyboardInterrupt):
        call(calls, user)
    assert uncertain(database) == UncertainCosts()


def test_a_crashed_workers_call_is_settled_by_whoever_learns_what_it_cost(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    calls = guarded(CostLimits())
    call_id = calls._reserve(Wish(OPENAI.name, ESTIMATE, user, None)).call_id
    for _ in range(2):  # the one who learns it may die before it has told
        calls.reconcile(call_id, USED)
        [costs] = Ledger(database).costs()
        assert (costs.calls, costs.micro_usd, costs.uncertain) == (1, 9, UncertainCosts())
        assert taken(database)["day"] == 9


def test_a_crashed_workers_call_that_cost_nothing_gives_its_reservation_back(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    calls = guarded(CostLimits())
    calls.reconcile(calls._reserve(Wish(OPENAI.name, ESTIMATE, user, None)).call_id, None)
    assert Ledger(database).costs() == []
    assert taken(database)["day"] == 0


# Rate limits


def test_a_call_waits_for_its_turn(guarded: Guarded, clock: SleptClock, user: UserId) -> None:
    rates = RateLimits(requests=RateLimit(6, burst=timedelta(seconds=10)))
    calls = guarded(CostLimits(rates={OPENAI.name: rates}))
    call(calls, user)
    assert clock.slept == []
    call(calls, user)
    assert 0 < sum(clock.slept) <= 10


def test_tokens_are_limited_as_requests_are(guarded: Guarded, clock: SleptClock, user: UserId) -> None:
    calls = guarded(CostLimits(rates={OPENAI.name: RateLimits(tokens=RateLimit(600))}))
    call(calls, user, Usage(tokens=100))
    call(calls, user, Usage(tokens=100))
    assert 0 < sum(clock.slept) <= 10


def test_a_turn_that_comes_too_late_is_refused_and_not_booked(
    database: Database, guarded: Guarded, clock: SleptClock, user: UserId
) -> None:
    limits = CostLimits(rates={OPENAI.name: RateLimits(requests=RateLimit(1))}, longest_wait=timedelta(seconds=5))
    calls = guarded(limits)
    call(calls, user)
    assert [refusal(calls, user) for _ in range(5)] == ["service_rate_limited"] * 5
    pass_time(database, timedelta(seconds=60))
    call(calls, user)
    assert clock.slept == []


def test_each_provider_has_its_own_limits(guarded: Guarded, clock: SleptClock, user: UserId) -> None:
    calls = guarded(CostLimits(rates={OPENAI.name: RateLimits(requests=RateLimit(6))}))
    call(calls, user)
    with calls.begin(LLAMAPARSE.name, Usage(pages=1), user, None):
        pass
    assert clock.slept == []


def test_limits_are_shared_and_survive_a_restart(guarded: Guarded, clock: SleptClock, user: UserId) -> None:
    limits = CostLimits(rates={OPENAI.name: RateLimits(requests=RateLimit(6))})
    call(guarded(limits), user)
    call(guarded(limits), user)
    assert sum(clock.slept) > 0


def test_a_call_whose_provider_fails_while_it_waits_is_not_made(
    database: Database, clock: SleptClock, user: UserId
) -> None:
    limits = CostLimits(
        rates={OPENAI.name: RateLimits(requests=RateLimit(6))}, breaker=BreakerSettings(consecutive_failures=1)
    )

    def sleep(seconds: float) -> None:
        with database.connection() as connection:
            connection.execute("UPDATE upload_pipeline.paid_services SET open_until = now() + interval '1 minute'")
        clock.slept.append(seconds)

    calls = PostgresPaidCalls(database, clock, limits, sleep, LoggingObserver())
    call(calls, user)
    assert refusal(calls, user) == "breaker_open"
    assert taken(database)["day"] == 10
    assert [row["outcome"] for row in rows(database)] == ["succeeded", "inconclusive"]


def test_a_worker_that_stands_still_while_it_books_holds_nobody_up_for_long(
    database: Database, ledger_url: str, guarded: Guarded, user: UserId
) -> None:
    frozen = Database(ledger_url)
    with suppress(OutageError), frozen.transaction() as connection:
        connection.execute(query("lock_provider"), {"provider": OPENAI.name, "longest_hold": "100ms"})
        call(guarded(CostLimits()), user)
    frozen.close()
    assert [row["outcome"] for row in rows(database)] == ["succeeded"]


# The circuit breaker

THREE = CostLimits(breaker=BreakerSettings(consecutive_failures=3))


def opened(guarded: Guarded, user: UserId) -> PostgresPaidCalls:
    calls = guarded(THREE)
    for _ in range(3):
        fail(calls, user)
    assert calls.paused_providers() == {OPENAI.name}
    return calls


def test_failures_in_a_row_open_the_breaker_for_all_workers(guarded: Guarded, user: UserId) -> None:
    calls = guarded(THREE)
    fail(calls, user)
    fail(calls, user)
    assert calls.paused_providers() == set()
    fail(calls, user)
    assert refusal(calls, user) == "breaker_open"
    restarted = guarded(THREE)
    assert refusal(restarted, user) == "breaker_open"
    assert restarted.paused_providers() == {OPENAI.name}


def test_a_provider_that_somebody_has_paused_gets_no_calls(guarded: Guarded, database: Database, user: UserId) -> None:
    calls, pauses = guarded(CostLimits()), PostgresPauses(database)
    available = PostgresAvailability(database, {Lane.EMBED: OPENAI.name})
    assert available.take_calls()
    pauses.pause(Paused(provider=OPENAI.name))
    assert refusal(calls, user) == "provider_paused"
    assert not available.take_calls()
    pauses.resume(Paused(provider=OPENAI.name))
    assert available.take_calls()
    with calls.begin(OPENAI.name, ESTIMATE, user, None) as call:
        call.settle(ESTIMATE)


def test_the_first_call_of_a_provider_makes_its_place(guarded: Guarded, database: Database, user: UserId) -> None:
    calls = guarded(CostLimits())
    for _ in range(2):
        with calls.begin(ProviderName("voyage-2"), ESTIMATE, user, None):
            pass
    assert [(each.provider, each.calls) for each in Ledger(database).costs()] == [("voyage-2", 2)]


def test_workers_that_call_a_new_provider_at_once_make_one_place(guarded: Guarded, user: UserId) -> None:
    calls, together = guarded(CostLimits()), Barrier(4)

    def call(_: int) -> None:
        together.wait()
        with calls.begin(ProviderName("voyage-2"), ESTIMATE, user, None):
            pass

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(call, range(4)))


@pytest.mark.parametrize("name", ["", "OpenAI", "a b", "a" * 41, "2b"])
def test_a_provider_has_a_short_lower_case_name(guarded: Guarded, user: UserId, name: str) -> None:
    with (
        pytest.raises(psycopg.errors.CheckViolation),
        guarded(CostLimits()).begin(ProviderName(name), ESTIMATE, user, None),
    ):
        pass
    with pytest.raises(ValueError, match="short lower-case name"):
        replace(OPENAI, name=ProviderName(name))


def test_the_other_provider_stays_closed(guarded: Guarded, user: UserId) -> None:
    calls = opened(guarded, user)
    with calls.begin(LLAMAPARSE.name, Usage(pages=1), user, None):
        pass


def test_a_success_between_keeps_it_closed_until_the_share_of_failures_is_reached(
    guarded: Guarded, user: UserId
) -> None:
    calls = guarded(CostLimits(breaker=BreakerSettings(consecutive_failures=3, failure_share=0.5, fewest_calls=8)))
    for _ in range(3):
        call(calls, user)
        fail(calls, user)
    assert calls.paused_providers() == set()
    call(calls, user)
    fail(calls, user)
    assert calls.paused_providers() == {OPENAI.name}


@pytest.mark.parametrize(
    "error",
    [PermanentError("corrupt"), OutageError("storage_full"), KeyboardInterrupt()],
    ids=lambda e: type(e).__name__,
)
def test_what_is_not_the_services_fault_never_opens_it(guarded: Guarded, user: UserId, error: BaseException) -> None:
    calls = guarded(THREE)
    for _ in range(5):
        fail(calls, user, error)
    assert calls.paused_providers() == set()


def test_unexpected_exceptions_count_as_the_services_fault(guarded: Guarded, user: UserId) -> None:
    calls = guarded(THREE)
    for _ in range(3):
        fail(calls, user, RuntimeError("surprise"))
    assert calls.paused_providers() == {OPENAI.name}


def test_failures_outside_the_window_do_not_count(database: Database, guarded: Guarded, user: UserId) -> None:
    calls = guarded(THREE)
    fail(calls, user)
    fail(calls, user)
    pass_time(database, THREE.breaker.window)
    fail(calls, user)
    assert calls.paused_providers() == set()


def test_half_open_lets_one_probe_through_and_its_success_closes_it(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    calls = opened(guarded, user)
    pass_time(database, THREE.breaker.open_for)
    assert calls.paused_providers() == set()
    with calls.begin(OPENAI.name, ESTIMATE, user, None):
        assert refusal(calls, user) == "breaker_open"
        assert refusal(guarded(THREE), user) == "breaker_open"
    call(calls, user)
    fail(calls, user)
    fail(calls, user)
    assert calls.paused_providers() == set()


def test_a_probe_that_fails_opens_it_again(database: Database, guarded: Guarded, user: UserId) -> None:
    calls = opened(guarded, user)
    pass_time(database, THREE.breaker.open_for)
    fail(calls, user)
    assert refusal(calls, user) == "breaker_open"
    pass_time(database, THREE.breaker.open_for)
    call(calls, user)


def test_a_probe_that_proves_nothing_makes_room_for_the_next(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    calls = opened(guarded, user)
    pass_time(database, THREE.breaker.open_for)
    fail(calls, user, PermanentError("corrupt"))
    with calls.begin(OPENAI.name, ESTIMATE, user, None):
        assert refusal(calls, user) == "breaker_open"
    call(calls, user)


def test_a_probe_whose_worker_crashed_makes_room_for_another_in_time(
    database: Database, guarded: Guarded, user: UserId
) -> None:
    calls = opened(guarded, user)
    pass_time(database, THREE.breaker.open_for)
    crash(calls, user)
    assert refusal(calls, user) == "breaker_open"
    pass_time(database, THREE.breaker.probe_for)
    call(calls, user)
    assert calls.paused_providers() == set()


def test_a_probe_that_no_budget_allows_is_left_to_the_next_call(
    database: Database, guarded: Guarded, user: UserId, other_user: UserId
) -> None:
    opened(guarded, user)
    pass_time(database, THREE.breaker.open_for)
    calls = guarded(replace(THREE, budgets=BudgetLimits(document=5)))
    assert refusal(calls, user, document=DocumentId(uuid4())) == "document_budget_spent"
    call(calls, other_user)
    assert calls.paused_providers() == set()


@dataclass
class Heard:
    facts: list[Fact] = field(default_factory=list)

    def observe(self, fact: Fact) -> None:
        self.facts.append(fact)


def test_an_observer_hears_what_providers_answer_and_nothing_of_calls_that_were_refused(
    database: Database, clock: SleptClock, user: UserId
) -> None:
    heard = Heard()
    limits = CostLimits(breaker=BreakerSettings(consecutive_failures=1))
    calls = PostgresPaidCalls(database, clock, limits, clock.slept.append, heard)
    call(calls, user)
    fail(calls, user)
    refusal(calls, user)
    answers = [fact for fact in heard.facts if isinstance(fact, ProviderAnswered)]
    assert [(answer.provider, answer.code) for answer in answers] == [
        (OPENAI.name, None),
        (OPENAI.name, UNAVAILABLE.code),
    ]
