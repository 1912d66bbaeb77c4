"""Whether providers take calls, by what all workers share: open breakers, and turns that are booked far ahead."""

from collections.abc import Sequence
from datetime import timedelta

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query

NEXT_TURN = timedelta(seconds=2)
"""A provider whose next turn comes later is busy: documents that are begun now would only wait for it."""


class PostgresAvailability:
    """Of these providers."""

    def __init__(self, database: Database, providers: Sequence[str]) -> None:
        self._database = database
        self._providers = list(providers)

    def take_calls(self) -> bool:
        if not self._providers:
            return True
        names = {"services": self._providers, "next_turn": NEXT_TURN}
        with self._database.connection() as connection:
            return connection.execute(query("unavailable_services"), names).fetchone() is None
