"""What was spent, according to the ledger of paid calls."""

from dataclasses import fields

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.spending.costs import ProviderCosts, UncertainCosts


class Ledger:
    def __init__(self, database: Database) -> None:
        self._database = database

    def costs(self, *, by_day: bool = False, by_user: bool = False) -> list[ProviderCosts]:
        """Return what was used by day, user and provider, in this order; unused providers have no entry."""
        names = {"by_day": by_day, "by_user": by_user}
        with self._database.connection() as connection:
            rows = connection.execute(query("sum_costs"), names).fetchall()
        return [_costs_of(row) for row in rows]

    def recount(self) -> None:
        """Set each budget to what its calls reserve, cost or may have cost."""
        with self._database.transaction() as connection:
            connection.execute(query("lock_budgets"))
            connection.execute(query("recount_budgets"))


def _costs_of(row: Row) -> ProviderCosts:
    uncertain = UncertainCosts(**{each.name: row.pop(f"uncertain_{each.name}") for each in fields(UncertainCosts)})
    return ProviderCosts(**row, uncertain=uncertain)
