"""What was spent, according to the ledger of paid calls."""

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.spending.costs import ProviderCosts


class Ledger:
    def __init__(self, database: Database) -> None:
        self._database = database

    def costs(self, *, by_day: bool = False, by_user: bool = False) -> list[ProviderCosts]:
        """Return what was used by day, user and provider, in this order; unused providers have no entry."""
        names = {"by_day": by_day, "by_user": by_user}
        with self._database.connection() as connection:
            rows = connection.execute(query("sum_costs"), names).fetchall()
        return [ProviderCosts(**row) for row in rows]
