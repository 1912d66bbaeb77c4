"""The circuit breaker's state, in Postgres: all workers share it, and it outlives them."""

from datetime import timedelta

from psycopg import Connection

from ingest_assets.adapters.postgres.database import Row
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.errors import ResourceError
from ingest_assets.domain.spending.circuit_breaker import Admission, BreakerSettings, CallOutcome, admit, opens
from ingest_assets.domain.spending.costs import Service


def may_probe(service: Service, shared: Row) -> bool:
    """Whether this call is the probe of a half-open breaker. Raises ResourceError breaker_open."""
    admission = admit(shared["open_until"], shared["now"])
    if admission is Admission.REFUSED:
        raise ResourceError("breaker_open", name=service)
    return admission is Admission.PROBE


def tell_breaker(
    connection: Connection[Row], service: Service, outcome: CallOutcome, settings: BreakerSettings, *, probed: bool
) -> None:
    """Opens or closes it after a call that is in the ledger."""
    if outcome is CallOutcome.FAILED and (probed or opens(_recent(connection, service, settings), settings)):
        _open(connection, service, settings.open_for, probed=probed)
    elif outcome is CallOutcome.INCONCLUSIVE and probed:
        _open(connection, service, timedelta(0), probed=True)
    elif outcome is CallOutcome.SUCCEEDED and probed:
        connection.execute(query("close_breaker"), {"service": service})


def open_services(connection: Connection[Row]) -> set[Service]:
    return {Service(row["service"]) for row in connection.execute(query("open_services"))}


def _recent(connection: Connection[Row], service: Service, settings: BreakerSettings) -> list[CallOutcome]:
    names = {"service": service, "window": settings.window, "limit": settings.most_calls}
    return [CallOutcome(row["outcome"]) for row in connection.execute(query("recent_outcomes"), names)]


def _open(connection: Connection[Row], service: Service, duration: timedelta, *, probed: bool) -> None:
    connection.execute(query("open_breaker"), {"service": service, "duration": duration, "probe": probed})
