"""Whether providers take calls. All workers share the open breakers and the turns that are booked ahead."""

from collections.abc import Sequence
from datetime import timedelta

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query

NEXT_TURN = timedelta(seconds=2)
"""A provider whose next turn is later than this is busy: documents begun now would only wait for it."""


class PostgresAvailability:
    """Tells whether all of these providers take calls."""

    def __init__(self, database: Database, providers: Sequence[str]) -> None:
        self._database = database
        self._providers = list(providers)

    def take_calls(self) -> bool:
        if not self._providers:
            return True
        names = {"providers": self._providers, "next_turn": NEXT_TURN}
        with self._database.connection() as connection:
            return connection.execute(query("unavailable_providers"), names).fetchone() is None
