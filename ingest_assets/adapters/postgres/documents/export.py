"""What is stored about a user or a document, and what was done with it, one record at a time in bounded memory."""

from collections.abc import Iterator
from typing import Any

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import DocumentId, UserId

KINDS = {
    "document": "export_documents",
    "source": "export_sources",
    "service_job": "export_remote_jobs",
    "callback": "export_callbacks",
    "paid_call": "export_calls",
    "request": "export_requests",
    "deletion": "export_deletions",
    "event": "export_events",
}
"""Each kind of record with its query, in the order of an export."""

AT_ONCE = 1000


class Export:
    def __init__(self, database: Database) -> None:
        self._database = database

    def records(self, user_id: UserId, document_id: DocumentId | None = None) -> Iterator[dict[str, Any]]:
        """Yield everything about a user or one of their documents, as of one moment; each record names its kind."""
        names = {"user_id": user_id, "document_id": document_id}
        with self._database.transaction() as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            for kind, statement in KINDS.items():
                with connection.cursor(statement) as cursor:
                    cursor.itersize = AT_ONCE
                    for row in cursor.execute(query(statement), names):
                        yield {"record": kind} | row
