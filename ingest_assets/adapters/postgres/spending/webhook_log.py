"""Callbacks that have proved where they come from. Recording one also clears away some old ones."""

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.locks import REPEATED_CALLBACKS, lock
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.spending.providers import ProviderName

ONCE_PER_JOB = "completed"
"""The outcome of a callback that is the first of its job. Of all others, one at a time is recorded."""


class PostgresWebhookLog:
    def __init__(self, database: Database, provider: ProviderName) -> None:
        self._database = database
        self._provider = provider

    def record(self, body: bytes, outcome: str, document_id: DocumentId | None) -> None:
        names = {"provider": self._provider, "body": body, "outcome": outcome, "document_id": document_id}
        with self._database.connection() as connection:
            connection.execute(query("empty_old_webhooks"))
            connection.execute(query("forget_webhooks_of_nobody"))
            with connection.transaction():
                if outcome != ONCE_PER_JOB:
                    lock(connection, REPEATED_CALLBACKS)
                connection.execute(query("record_webhook"), names)
