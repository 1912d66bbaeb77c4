"""Callbacks as they came. Storing one also empties some old bodies."""

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.spending.providers import ProviderName


class PostgresWebhookLog:
    def __init__(self, database: Database, provider: ProviderName) -> None:
        self._database = database
        self._provider = provider

    def store(self, body: bytes) -> int:
        with self._database.connection() as connection:
            connection.execute(query("empty_old_webhooks"))
            row = connection.execute(query("store_webhook"), {"provider": self._provider, "body": body}).fetchone()
        assert row is not None  # noqa: S101  INSERT RETURNING gives a row
        return int(row["webhook_id"])

    def settle(self, webhook_id: int, outcome: str, document_id: DocumentId | None) -> None:
        names = {"webhook_id": webhook_id, "outcome": outcome, "document_id": document_id}
        with self._database.connection() as connection:
            connection.execute(query("settle_webhook"), names)
