"""Documents in Postgres as the reader may see them: what they are, where they stand, and what happened to them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from psycopg import Connection

from ingest_assets.adapters.postgres.database import Row
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.rows import document_of
from ingest_assets.domain.documents.document import Document, DocumentId
from ingest_assets.domain.queue.jobs import Event, FailedDocument, JobStatus
from ingest_assets.domain.queue.stages import Stage, State


class Readable(Protocol):
    def connection(self) -> AbstractContextManager[Connection[Row]]: ...


class PostgresDocuments:
    def __init__(self, database: Readable) -> None:
        self._seen = database

    def find(self, document_id: DocumentId) -> Document | None:
        row = self._one("find_document", {"document_id": document_id})
        return None if row is None else document_of(row)

    def sources(self, document_id: DocumentId) -> list[str]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("sources_of_document"), {"document_id": document_id}).fetchall()
        return [row["source"] for row in rows]

    def status(self, document_id: DocumentId) -> JobStatus | None:
        row = self._one("job_status", {"document_id": document_id})
        if row is None:
            return None
        del row["user_id"]
        return JobStatus(**row | {"stage": Stage(row["stage"]), "state": State(row["state"])})

    def states(self, document_ids: Sequence[DocumentId]) -> dict[State, int]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("count_states"), {"document_ids": list(document_ids)}).fetchall()
        return {State(row["state"]): row["jobs"] for row in rows}

    def history(self, document_id: DocumentId) -> list[Event]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("job_history"), {"document_id": document_id}).fetchall()
        return [Event(**row | {"stage": Stage(row["stage"]), "state": State(row["state"])}) for row in rows]

    def counts(self) -> dict[str, int]:
        row = self._one("count_documents", {})
        return dict(row or {})

    def by_stage_and_state(self) -> dict[str, int]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("count_jobs")).fetchall()
        return {f"{row['stage']}/{row['state']}": row["jobs"] for row in rows}

    def failed(self) -> list[FailedDocument]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("failed_documents")).fetchall()
        return [FailedDocument(**row | {"stage": Stage(row["stage"]), "state": State(row["state"])}) for row in rows]

    def _one(self, name: str, names: dict[str, Any]) -> Row | None:
        with self._seen.connection() as connection:
            return connection.execute(query(name), names).fetchone()
