"""What was spent, as the ledger of paid calls tells it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.spending.providers import ProviderName


@dataclass(frozen=True, slots=True)
class ProviderCosts:
    provider: ProviderName
    day: date | None
    """UTC; None where all days are one."""
    user_id: UUID | None
    """None where all users are one."""
    calls: int
    tokens: int
    pages: int
    credits: int
    micro_usd: int


class Ledger:
    def __init__(self, database: Database) -> None:
        self._database = database

    def costs(self, *, by_day: bool = False, by_user: bool = False) -> list[ProviderCosts]:
        """Return what was used by day, user and provider, in this order; what was never used has no entry."""
        names = {"by_day": by_day, "by_user": by_user}
        with self._database.connection() as connection:
            rows = connection.execute(query("sum_costs"), names).fetchall()
        return [ProviderCosts(**row) for row in rows]
