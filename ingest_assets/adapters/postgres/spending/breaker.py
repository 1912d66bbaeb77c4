"""The circuit breaker's state in Postgres: all workers share it, and it outlives them."""

from datetime import timedelta

from psycopg import Connection

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.errors import ResourceError
from ingest_assets.domain.spending.circuit_breaker import Admission, BreakerSettings, CallOutcome, admit, opens
from ingest_assets.domain.spending.providers import ProviderName


def may_probe(provider: ProviderName, shared: Row) -> bool:
    """Return whether this call is the probe of a half-open breaker.

    Raises:
        ResourceError: provider_paused or breaker_open.
    """
    if shared["is_paused"]:
        raise ResourceError("provider_paused", name=provider)
    admission = admit(shared["open_until"], shared["now"])
    if admission is Admission.REFUSED:
        raise ResourceError("breaker_open", name=provider)
    return admission is Admission.PROBE


def tell_breaker(
    connection: Connection[Row],
    provider: ProviderName,
    outcome: CallOutcome,
    settings: BreakerSettings,
    *,
    probed: bool,
) -> None:
    """Open or close the breaker after a call that is in the ledger."""
    if outcome is CallOutcome.FAILED and (probed or opens(_recent(connection, provider, settings), settings)):
        _open(connection, provider, settings.open_for, probed=probed)
    elif outcome is CallOutcome.INCONCLUSIVE and probed:
        _open(connection, provider, timedelta(0), probed=True)
    elif outcome is CallOutcome.SUCCEEDED and probed:
        connection.execute(query("close_breaker"), {"provider": provider})


def paused_providers(connection: Connection[Row]) -> set[ProviderName]:
    """Return the providers whose breaker is open."""
    return {ProviderName(row["provider"]) for row in connection.execute(query("paused_providers"))}


def _recent(connection: Connection[Row], provider: ProviderName, settings: BreakerSettings) -> list[CallOutcome]:
    names = {"provider": provider, "window": settings.window, "limit": settings.most_calls}
    return [CallOutcome(row["outcome"]) for row in connection.execute(query("recent_outcomes"), names)]


def _open(connection: Connection[Row], provider: ProviderName, duration: timedelta, *, probed: bool) -> None:
    connection.execute(query("open_breaker"), {"provider": provider, "duration": duration, "probe": probed})
