"""What was spent, as the ledger of paid calls tells it."""

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.spending.costs import Service, ServiceCosts


class Ledger:
    def __init__(self, database: Database) -> None:
        self._database = database

    def costs(self, *, by_day: bool = False, by_user: bool = False) -> list[ServiceCosts]:
        """By day, user and service in this order; what was never used has no entry."""
        names = {"by_day": by_day, "by_user": by_user}
        with self._database.connection() as connection:
            rows = connection.execute(query("sum_costs"), names).fetchall()
        return [ServiceCosts(**row | {"service": Service(row["service"])}) for row in rows]
