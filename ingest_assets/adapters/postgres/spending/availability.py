"""Whether providers take calls. All workers share the open breakers and the turns that are booked ahead."""

from collections.abc import Mapping
from datetime import timedelta

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.queue.lanes import Lane

NEXT_TURN = timedelta(seconds=2)
"""A provider whose next turn is later than this is busy: documents begun now would only wait for it."""


class PostgresAvailability:
    """Tells whether all of these providers take calls."""

    def __init__(self, database: Database, providers: Mapping[Lane, str]) -> None:
        self._database = database
        self._providers = providers
        """Those that each lane needs."""

    def take_calls(self, lane: Lane | None = None) -> bool:
        providers = [name for of_lane, name in self._providers.items() if lane in (None, of_lane)]
        if not providers:
            return True
        names = {"providers": providers, "next_turn": NEXT_TURN}
        with self._database.connection() as connection:
            return connection.execute(query("unavailable_providers"), names).fetchone() is None
