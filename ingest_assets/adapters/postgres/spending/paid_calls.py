"""The guards before calls that cost money and the ledger behind them, shared by all workers through Postgres.

Each worker locks the provider's row, lets the pure policies judge, and writes what they say; a refusal rolls back. No
transaction is open while a call waits for its turn or is in progress. Time is the database server's.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from psycopg import Connection

from ingest_assets.adapters.postgres.database import Database, Row
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.spending.breaker import may_probe, paused_providers, tell_breaker
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import ResourceError
from ingest_assets.domain.facts import ProviderAnswered
from ingest_assets.domain.spending.budgets import Budget, BudgetLimits, overdrawn
from ingest_assets.domain.spending.circuit_breaker import BreakerSettings, CallOutcome, outcome_of
from ingest_assets.domain.spending.costs import Usage
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.rate_limits import Demand, RateLimits, Turn, book
from ingest_assets.pipeline.failure import as_ingest_error
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.observing import Observer

LONGEST_HOLD = "5s"
"""After this time the server ends the transaction of a stalled worker, because all others wait for it."""


@dataclass(frozen=True, slots=True)
class CostLimits:
    rates: Mapping[ProviderName, RateLimits] = field(default_factory=dict)
    budgets: BudgetLimits = field(default_factory=BudgetLimits)
    breaker: BreakerSettings = field(default_factory=BreakerSettings)
    longest_wait: timedelta = timedelta(seconds=20)
    """How long a call waits for its turn; if the turn comes later, the document waits in the queue instead."""
    reservation: timedelta = timedelta(minutes=30)
    """How long an unsettled call reserves its estimate; a call that is settled later still counts in full."""


@dataclass(frozen=True, slots=True)
class Wish:
    """The call that a worker wants to make, and for whom."""

    provider: ProviderName
    estimate: Usage
    user_id: UserId
    document_id: DocumentId | None


@dataclass(slots=True)
class PaidCallUnderWay:
    call_id: int
    provider: ProviderName
    usage: Usage
    """The estimate, until the call is settled."""
    probes: bool
    wait: timedelta
    settled: bool = False

    def settle(self, usage: Usage) -> None:
        self.usage, self.settled = usage, True

    def used(self, outcome: CallOutcome) -> Usage:
        """Return what the call used; a call that fails before it is settled costs nothing."""
        return self.usage if self.settled or outcome is CallOutcome.SUCCEEDED else Usage()


class PostgresPaidCalls:
    def __init__(
        self, database: Database, clock: Clock, limits: CostLimits, sleep: Callable[[float], None], observer: Observer
    ) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits
        self._sleep = sleep
        self._observer = observer

    @contextmanager
    def begin(
        self, provider: ProviderName, estimate: Usage, user_id: UserId, document_id: DocumentId | None
    ) -> Iterator[PaidCallUnderWay]:
        """Reserve the estimate, wait for the call's turn, and book the call when the block ends.

        Raises:
            ResourceError: As the port; also service_rate_limited, if the turn comes later than `longest_wait`.
        """
        call = self._reserve(Wish(provider, estimate, user_id, document_id))
        try:
            self._await_turn(call)
            with self._observed(call):
                yield call
        except BaseException as error:
            self._end(call, outcome_of(error))
            raise
        self._end(call, CallOutcome.SUCCEEDED)

    @contextmanager
    def _observed(self, call: PaidCallUnderWay) -> Iterator[None]:
        begun_at = self._clock.seconds()
        code: str | None = None
        try:
            yield
        except BaseException as error:
            code = as_ingest_error(error).code
            raise
        finally:
            self._observer.observe(ProviderAnswered(call.provider, self._clock.seconds() - begun_at, code))

    def paused_providers(self) -> set[ProviderName]:
        """Return the providers that no call would get through to now."""
        with self._database.connection() as connection:
            return paused_providers(connection)

    def _reserve(self, wish: Wish) -> PaidCallUnderWay:
        try:
            return self._reserve_once(wish)
        except ResourceError as refusal:
            if refusal.code != "budget_spent" or not self._release_abandoned():
                raise
        return self._reserve_once(wish)

    def _reserve_once(self, wish: Wish) -> PaidCallUnderWay:
        with self._database.transaction() as connection:
            shared = _lock(connection, wish.provider)
            now, probes = shared["now"], may_probe(wish.provider, shared)
            turn = self._turn(wish, shared)
            begun = _only(connection, "begin_call", self._beginning(wish, turn, now, probes=probes))
            self._check_budgets(begun["taken"])
        return PaidCallUnderWay(begun["call_id"], wish.provider, wish.estimate, probes, turn.at - now)

    def _beginning(self, wish: Wish, turn: Turn, now: datetime, *, probes: bool) -> dict[str, Any]:
        requests_booked_until, tokens_booked_until = turn.booked_until
        return {
            "provider": wish.provider,
            "user_id": wish.user_id,
            "document_id": wish.document_id,
            "micro_usd": wish.estimate.micro_usd,
            "now": now,
            "expires_at": turn.at + self._limits.reservation,
            "requests_booked_until": requests_booked_until,
            "tokens_booked_until": tokens_booked_until,
            "open_until": turn.at + self._limits.breaker.probe_for if probes else None,
        }

    def _turn(self, wish: Wish, shared: Row) -> Turn:
        """Book the call's turn.

        Raises:
            ResourceError: service_rate_limited.
        """
        rates = self._limits.rates.get(wish.provider, RateLimits())
        requests = Demand(rates.requests, shared["requests_booked_until"], 1)
        tokens = Demand(rates.tokens, shared["tokens_booked_until"], wish.estimate.tokens)
        turn = book((requests, tokens), shared["now"])
        wait = turn.at - shared["now"]
        if wait > self._limits.longest_wait:
            raise ResourceError("service_rate_limited", name=wish.provider, seconds=round(wait.total_seconds()))
        return turn

    def _check_budgets(self, taken: Mapping[str, int]) -> None:
        """Check the budgets after a reservation.

        Raises:
            ResourceError: budget_spent.
        """
        exceeded = overdrawn(self._limits.budgets, {Budget(name): amount for name, amount in taken.items()})
        if exceeded is not None:
            raise ResourceError("budget_spent", name=exceeded)

    def _release_abandoned(self) -> int:
        with self._database.connection() as connection:
            return int(_only(connection, "release_abandoned", {})["count"])

    def _await_turn(self, call: PaidCallUnderWay) -> None:
        """Wait for the call's turn.

        Raises:
            ResourceError: breaker_open, if the provider failed meanwhile.
        """
        if not call.wait:
            return
        turn = self._clock.seconds() + call.wait.total_seconds()
        while (left := turn - self._clock.seconds()) > 0:
            self._sleep(left)
        if not call.probes and call.provider in self.paused_providers():
            raise ResourceError("breaker_open", name=call.provider)

    def _end(self, call: PaidCallUnderWay, outcome: CallOutcome) -> None:
        used = call.used(outcome)
        names = {
            "call_id": call.call_id,
            "outcome": outcome,
            "tokens": used.tokens,
            "pages": used.pages,
            "credits": used.credits,
            "micro_usd": used.micro_usd,
            "request_id": used.request_id,
        }
        with self._database.connection() as connection:
            connection.execute(query("settle_call"), names)
            tell_breaker(connection, call.provider, outcome, self._limits.breaker, probed=call.probes)


def _lock(connection: Connection[Row], provider: ProviderName) -> Row:
    """Lock and return the row that all workers share for a provider; the first call of all inserts it."""
    names = {"provider": provider, "longest_hold": LONGEST_HOLD}
    found = connection.execute(query("lock_provider"), names).fetchone()
    if found is not None:
        return found
    connection.execute(query("add_provider"), {"provider": provider})
    return _only(connection, "lock_provider", names)


def _only(connection: Connection[Row], name: str, names: dict[str, Any]) -> Row:
    row = connection.execute(query(name), names).fetchone()
    if row is None:
        raise LookupError(f"the query {name} returned no row")
    return row
