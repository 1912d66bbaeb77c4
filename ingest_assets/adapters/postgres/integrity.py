"""What in the database breaks an invariant: one query for each, which counts the breaches and names some of them."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from psycopg.types.json import Jsonb

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.rows import document_of
from ingest_assets.domain.documents.document import Document, DocumentId
from ingest_assets.domain.integrity import FARTHEST_RETRY, OF_ROWS, SAMPLED_VECTORS, SHOWN, Finding
from ingest_assets.domain.queue.histories import Point, legal_steps
from ingest_assets.domain.queue.stages import State


class StoredRows:
    def __init__(self, database: Database, lease: timedelta) -> None:
        """Take a worker's silence of more than two leases as a breach."""
        self._database = database
        self._lease = lease

    def inspect(self) -> Iterator[Finding]:
        names = {
            "shown": SHOWN,
            "longest_silence": 2 * self._lease,
            "farthest_retry": FARTHEST_RETRY,
            "sampled": SAMPLED_VECTORS,
            "legal": Jsonb([_row(*pair) for pair in legal_steps()]),
        }
        for invariant in OF_ROWS:
            with self._database.connection() as connection:
                rows = connection.execute(query(invariant.name), names, prepare=False).fetchall()
            if rows:
                ids = tuple(row["document_id"] for row in rows if row["document_id"] is not None)
                yield Finding(invariant, rows[0]["count"], ids)


class PostgresStoredDocuments:
    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, after: DocumentId | None, limit: int) -> Sequence[Document]:
        with self._database.connection() as connection:
            rows = connection.execute(query("documents_behind"), {"after_document": after, "limit": limit}).fetchall()
        return [document_of(row) for row in rows]


class PostgresToldOutcomes:
    def __init__(self, database: Database) -> None:
        self._database = database

    def told(self, state: State, patience: timedelta, after: DocumentId | None, limit: int) -> Sequence[DocumentId]:
        names = {"state": state, "patience": patience, "after_document": after, "limit": limit}
        return self._ids("told_outcomes", names)

    def unknown(self, document_ids: Sequence[DocumentId]) -> set[DocumentId]:
        return set(self._ids("unknown_documents", {"document_ids": list(document_ids)}))

    def _ids(self, statement: str, names: dict[str, Any]) -> list[DocumentId]:
        with self._database.connection() as connection:
            return [DocumentId(row["document_id"]) for row in connection.execute(query(statement), names)]


def _row(before: Point, after: Point) -> dict[str, Any]:
    return {
        "last_stage": before.stage,
        "last_state": before.state,
        "last_begins": before.begins,
        "last_tells": before.tells,
        "stage": after.stage,
        "state": after.state,
        "begins": after.begins,
        "tells": after.tells,
        "is_legal": True,
    }
