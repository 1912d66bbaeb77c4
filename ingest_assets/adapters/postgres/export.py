"""What is stored about a user or a document, and what was done with it, record by record in bounded memory."""

from collections.abc import Iterator
from typing import Any

from psycopg import IsolationLevel

from ingest_assets.adapters.postgres.database import connected
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents import DocumentId, UserId

KINDS = {
    "document": "export_documents",
    "source": "export_sources",
    "service_job": "export_service_jobs",
    "callback": "export_callbacks",
    "paid_call": "export_calls",
    "request": "export_requests",
    "deletion": "export_deletions",
    "event": "export_events",
}
"""Each kind of record with its query, in the order of an export."""

AT_ONCE = 1000


def export_records(url: str, user_id: UserId, document_id: DocumentId | None = None) -> Iterator[dict[str, Any]]:
    """All of one user, or one document of that user; each record with its kind as `record`, all as of one moment."""
    names = {"user_id": user_id, "document_id": document_id}
    with connected(url) as connection:
        connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        connection.set_read_only(True)
        with connection.transaction():
            for kind, statement in KINDS.items():
                with connection.cursor(f"export_{kind}") as cursor:
                    cursor.itersize = AT_ONCE
                    for row in cursor.execute(query(statement), names):
                        yield {"record": kind} | row
