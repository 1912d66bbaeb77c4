"""Which documents Dagster lists, according to the queue's rows: nothing here asks Dagster."""

from collections.abc import Iterator
from contextlib import contextmanager

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.documents.retention import ListedDocuments


class PostgresPartitions:
    def __init__(self, database: Database) -> None:
        self._database = database

    def listed(self) -> ListedDocuments:
        with self._database.connection() as connection:
            row = connection.execute(query("count_listed")).fetchone()
        return ListedDocuments(**row or {})

    @contextmanager
    def oldest(self, limit: int) -> Iterator[list[DocumentId]]:
        with self._dropped(limit, listed="oldest_listed", dropped="mark_unlisted") as document_ids:
            yield document_ids

    @contextmanager
    def deleted(self, limit: int) -> Iterator[list[DocumentId]]:
        with self._dropped(limit, listed="deleted_documents", dropped="mark_deleted_unlisted") as document_ids:
            yield document_ids

    @contextmanager
    def _dropped(self, limit: int, *, listed: str, dropped: str) -> Iterator[list[DocumentId]]:
        """Yield locked rows and unlist them when the block ends.

        A document that is requeued meanwhile waits, and is listed again afterwards.
        """
        with self._database.transaction() as connection:
            rows = connection.execute(query(listed), {"limit": limit}).fetchall()
            document_ids = [DocumentId(row["document_id"]) for row in rows]
            yield document_ids
            connection.execute(query(dropped), {"document_ids": document_ids})
