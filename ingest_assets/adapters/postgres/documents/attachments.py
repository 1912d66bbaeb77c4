"""Attachments in Postgres: sources name the documents they were taken out of; those skipped have rows of their own."""

from collections.abc import Sequence

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.documents.deletions import delete_rows
from ingest_assets.adapters.postgres.locks import intake_of, lock
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.attachments import Room, SkippedAttachment
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.queue.jobs import Actor, Job


class PostgresAttachmentRecords:
    def __init__(self, database: Database) -> None:
        self._database = database

    def depth(self, document_id: DocumentId) -> int:
        with self._database.connection() as connection:
            [row] = connection.execute(query("depth_of_document"), {"document_id": document_id})
        depth: int = row["depth"]
        return depth

    def room(self, document_id: DocumentId, limit: Room) -> Room:
        with self._database.connection() as connection:
            [row] = connection.execute(query("attachments_below"), {"document_id": document_id})
        return Room(
            max(limit.attachments - row["others"], row["own"]),
            max(limit.size - int(row["bytes_of_others"]), int(row["own_bytes"])),
        )

    def forget_other_parse(self, job: Job) -> None:
        names = {"document_id": job.document.document_id, "fence": job.fence}
        with self._database.connection() as connection:
            connection.execute(query("forget_other_parse"), names)

    def settle(
        self, job: Job, sources: Sequence[str], skipped: Sequence[SkippedAttachment], actor: Actor
    ) -> list[DocumentId]:
        names = {
            "document_id": job.document.document_id,
            "user_id": job.document.user_id,
            "fence": job.fence,
            "sources": list(sources),
            "paths": [each.path for each in skipped],
            "codes": [each.code for each in skipped],
        }
        with self._database.transaction() as connection:
            lock(connection, intake_of(job.document.user_id))
            rows = connection.execute(query("settle_attachments"), names).fetchall()
            orphans = [DocumentId(row["document_id"]) for row in rows]
            return delete_rows(connection, orphans, actor) if orphans else []
