"""Deletion in Postgres: removing the rows of documents, keeping notes of it, and searching for anything left."""

from collections.abc import Sequence

from psycopg import Connection

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.locks import intake_of, lock
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.rows import columns_of
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.queue.jobs import Actor


class PostgresDeletions:
    def __init__(self, database: Database) -> None:
        self._database = database

    def owner(self, document_id: DocumentId) -> UserId | None:
        with self._database.connection() as connection:
            row = connection.execute(query("owner_of_document"), {"document_id": document_id}).fetchone()
        return None if row is None else UserId(row["user_id"])

    def delete(self, document_id: DocumentId, actor: Actor, *, intake_is_paused: bool = False) -> list[DocumentId]:
        owner = self.owner(document_id)
        with self._database.transaction() as connection:
            if owner is not None and not intake_is_paused:
                lock(connection, intake_of(owner))
            return delete_rows(connection, [document_id], actor)

    def traces(self, document_id: DocumentId) -> dict[str, int]:
        with self._database.connection() as connection:
            rows = connection.execute(query("traces_of_document"), {"document_id": document_id}).fetchall()
        return {row["relation"]: row["traces"] for row in rows}

    def confirm(self, document_id: DocumentId) -> None:
        with self._database.connection() as connection:
            connection.execute(query("confirm_deletion"), {"document_id": document_id})

    def to_finish(self, limit: int) -> list[DocumentId]:
        with self._database.connection() as connection:
            rows = connection.execute(query("deletions_to_finish"), {"limit": limit}).fetchall()
        return [DocumentId(row["document_id"]) for row in rows]


def delete_rows(connection: Connection[Row], document_ids: Sequence[DocumentId], actor: Actor) -> list[DocumentId]:
    """Remove the rows of documents within the caller's transaction, which holds their owner's intake back.

    Returns:
        These documents and what was taken out of them and came from nowhere else.
    """
    found = _with_attachments(connection, document_ids)
    names = {"document_ids": found} | columns_of(actor)
    for statement in ("lock_jobs", "note_deletion", "delete_documents", "forget_provider_ids"):
        connection.execute(query(statement), names)
    return found


def _with_attachments(connection: Connection[Row], document_ids: Sequence[DocumentId]) -> list[DocumentId]:
    """Return the documents and what was taken out of them, at any depth, unless it came from elsewhere, too."""
    found = list(document_ids)
    while orphans := connection.execute(query("orphans_of_documents"), {"document_ids": found}).fetchall():
        found += [DocumentId(row["document_id"]) for row in orphans]
    return found
