"""What is still to be done about providers' jobs, in Postgres."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.remote_jobs import Bill, Leftover, Unheard


class PostgresRemoteLeftovers:
    def __init__(self, database: Database) -> None:
        self._database = database

    def are_due(self, providers: Sequence[ProviderName]) -> bool:
        [row] = self._rows("remote_leftovers_are_due", providers=list(providers))
        return bool(row["due"])

    def bills(self, providers: Sequence[ProviderName], limit: int) -> list[Bill]:
        rows = self._due("due_bills", providers, limit, is_known=True)
        return [Bill(row["provider"], row["remote_id"], row["call_id"]) for row in rows]

    def billed(self, remote_id: str) -> None:
        self._change("remote_job_billed", remote_id=remote_id)

    def unheard(self, providers: Sequence[ProviderName], limit: int) -> list[Unheard]:
        rows = self._due("due_bills", providers, limit, is_known=False)
        return [Unheard(row["provider"], row["request_id"], row["asked_at"], row["call_id"]) for row in rows]

    def settled(self, request_id: UUID) -> None:
        self._change("unheard_settled", remote_request_id=request_id)

    def to_remove(self, providers: Sequence[ProviderName], limit: int) -> list[Leftover]:
        return [Leftover(**row) for row in self._due("due_leftovers", providers, limit, is_known=True)]

    def to_look_for(self, providers: Sequence[ProviderName], limit: int) -> list[Leftover]:
        return [Leftover(**row) for row in self._due("due_leftovers", providers, limit, is_known=False)]

    def removed(self, request_id: UUID) -> None:
        self._change("leftover_removed", remote_request_id=request_id)

    def _due(self, name: str, providers: Sequence[ProviderName], limit: int, *, is_known: bool) -> list[Row]:
        return self._rows(name, providers=list(providers), limit=limit, is_known=is_known)

    def _rows(self, name: str, **names: Any) -> list[Row]:
        with self._database.connection() as connection:
            return connection.execute(query(name), names).fetchall()

    def _change(self, name: str, **names: Any) -> None:
        with self._database.connection() as connection:
            connection.execute(query(name), names)
