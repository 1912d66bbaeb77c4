"""The guards before calls that cost money and the ledger behind them, shared by all workers through Postgres.

Each worker locks the provider's row, lets the pure policies judge, and writes what they say; a refusal rolls back. No
transaction is open while a call waits for its turn or is in progress. Time is the database server's.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from psycopg import Connection

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.spending.breaker import may_probe, paused_providers, tell_breaker
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import IngestError, PermanentError, ResourceError
from ingest_assets.domain.errors.providers import may_be_an_outage, meanwhile, outage_of
from ingest_assets.domain.facts import BillSurprised, ProviderAnswered
from ingest_assets.domain.spending.budgets import Budget, BudgetLimits, overdrawn
from ingest_assets.domain.spending.circuit_breaker import BreakerSettings, CallOutcome, outcome_of
from ingest_assets.domain.spending.costs import Usage, surprises
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.rate_limits import Demand, RateLimits, Turn, book
from ingest_assets.pipeline.failure import as_ingest_error, passing_over
from ingest_assets.pipeline.outages import outlasting
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.tracing import tracing

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
    """How long a call takes at most. After this time an unsettled call has lost its worker."""


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
    sent: bool = False
    """Whether the call's turn has come."""

    def settle(self, usage: Usage) -> None:
        self.usage, self.settled = usage, True

    def used(self, outcome: CallOutcome) -> Usage:
        """Return what the call used; a call that fails before it is settled costs nothing."""
        return self.usage if self.settled or outcome is CallOutcome.SUCCEEDED else Usage()

    def may_have_cost(self, error: BaseException) -> bool:
        """Return whether a failed call may have cost something that nobody has settled."""
        unanswered = error.may_have_cost if isinstance(error, IngestError) else not isinstance(error, Exception)
        return unanswered and self.sent and not self.settled


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
        self,
        provider: ProviderName,
        estimate: Usage,
        user_id: UserId,
        document_id: DocumentId | None,
        fence: int | None = None,
    ) -> Iterator[PaidCallUnderWay]:
        """Reserve the estimate, wait for the call's turn, and book the call when the block ends.

        Raises:
            ResourceError: As the port; also service_rate_limited, if the turn comes later than `longest_wait`.
        """
        call = self._reserve(Wish(provider, estimate, user_id, document_id))
        with self.attributing_failures(provider, document_id):
            try:
                self._await_turn(call)
                self._check_claim(document_id, fence)
                call.sent = True
                with self._observed(call, document_id):
                    yield call
            except BaseException as error:
                self._end(call, outcome_of(error), doubtful=call.may_have_cost(error))
                raise
        # What was paid for is not thrown away because it cannot be booked; the call then stays uncertain.
        succeeded = partial(self._end, call, CallOutcome.SUCCEEDED)
        passing_over(self._observer, "booking a paid call", lambda: outlasting(succeeded, self._clock))

    @contextmanager
    def attributing_failures(self, provider: ProviderName, document_id: DocumentId | None) -> Iterator[None]:
        """Take a provider's failure for its outage if it has served no other document meanwhile.

        Raises:
            OutageError: service_away.
        """
        begun_at = self._clock.seconds()
        try:
            yield
        except IngestError as error:
            if document_id is None or not may_be_an_outage(error):
                raise
            elapsed = timedelta(seconds=self._clock.seconds() - begun_at)
            if self._serves_others(provider, document_id, meanwhile(error, elapsed)):
                raise
            raise outage_of(error, provider) from None

    def _serves_others(self, provider: ProviderName, document_id: DocumentId, since: timedelta) -> bool:
        names = {"provider": provider, "document_id": document_id, "meanwhile": since}
        with self._database.connection() as connection:
            return bool(_only(connection, "serves_others", names)["served"])

    @contextmanager
    def _observed(self, call: PaidCallUnderWay, document_id: DocumentId | None) -> Iterator[None]:
        begun_at = self._clock.seconds()
        code: str | None = None
        try:
            with tracing.span("provider call", **{"ingest.provider": call.provider}):
                yield
        except BaseException as error:
            code = as_ingest_error(error).code
            raise
        finally:
            seconds = self._clock.seconds() - begun_at
            self._observer.observe(ProviderAnswered(call.provider, seconds, code, document_id))

    def paused_providers(self) -> set[ProviderName]:
        """Return the providers that no call would get through to now."""
        with self._database.connection() as connection:
            return paused_providers(connection)

    def _reserve(self, wish: Wish) -> PaidCallUnderWay:
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
            **_amounts(wish.estimate),
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
            PermanentError: document_budget_spent, which no new day brings back.
        """
        exceeded = overdrawn(self._limits.budgets, {Budget(name): amount for name, amount in taken.items()})
        if exceeded is Budget.DOCUMENT:
            raise PermanentError("document_budget_spent")
        if exceeded is not None:
            raise ResourceError("budget_spent", name=exceeded)

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

    def _check_claim(self, document_id: DocumentId | None, fence: int | None) -> None:
        """Check that the document is still held under this fence, if it has to be.

        Raises:
            ResourceError: claim_lost.
        """
        if fence is None:
            return
        with self._database.connection() as connection:
            if not _only(connection, "holds_claim", {"document_id": document_id, "fence": fence})["held"]:
                raise ResourceError("claim_lost")

    def reconcile(self, call_id: int, usage: Usage | None) -> None:
        outcome = CallOutcome.SUCCEEDED if usage is not None else CallOutcome.INCONCLUSIVE
        with self._database.connection() as connection:
            _settle(connection, call_id, outcome, usage or Usage())

    def bill(self, call_id: int, usage: Usage) -> None:
        with self._database.connection() as connection:
            call = connection.execute(query("expected_of_call"), {"call_id": call_id}).fetchone()
            connection.execute(query("bill_call"), {"call_id": call_id} | _amounts(usage))
        if call is not None and surprises(usage.credits, call["expected"]):
            self._observer.observe(BillSurprised(call["provider"], call_id, call["expected"], usage.credits))

    def release(self, call_id: int) -> None:
        with self._database.connection() as connection:
            connection.execute(query("release_call"), {"call_id": call_id})

    def _end(self, call: PaidCallUnderWay, outcome: CallOutcome, *, doubtful: bool = False) -> None:
        with self._database.connection() as connection:
            _settle(connection, call.call_id, outcome, call.used(outcome), doubtful=doubtful)
            tell_breaker(connection, call.provider, outcome, self._limits.breaker, probed=call.probes)


def _settle(
    connection: Connection[Row], call_id: int, outcome: CallOutcome, used: Usage, *, doubtful: bool = False
) -> None:
    ends = {"call_id": call_id, "outcome": outcome, "doubtful": doubtful, "request_id": used.request_id}
    connection.execute(query("settle_call"), ends | _amounts(used))


def _amounts(usage: Usage) -> dict[str, int]:
    return {name: getattr(usage, name) for name in ("tokens", "pages", "credits", "micro_usd")}


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
