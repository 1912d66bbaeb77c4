"""Deletion in Postgres: removing the rows of documents, keeping notes of it, and searching for anything left."""

from ingest_assets.adapters.postgres.database import Database
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

    def delete(self, document_id: DocumentId, actor: Actor) -> None:
        names = {"document_id": document_id, "document_ids": [document_id]} | columns_of(actor)
        with self._database.transaction() as connection:
            for statement in ("lock_jobs", "note_deletion", "delete_document", "forget_provider_ids"):
                connection.execute(query(statement), names)

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
