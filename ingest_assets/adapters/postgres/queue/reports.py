"""Which ended jobs Dagster has been told of."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from psycopg import Connection

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.queue.jobs import Outcome
from ingest_assets.domain.queue.stages import Stage

TELLING = timedelta(minutes=2)
"""How long Dagster may take to hear of finished jobs before somebody else tells it."""
SHOWING = timedelta(minutes=5)
"""How long a run that shows a dead letter may take to begin before another one is requested."""


class PostgresReports:
    """The jobs to report; `stages` are those whose events carry what Dagster is told of a finished job."""

    def __init__(self, database: Database, stages: Sequence[Stage]) -> None:
        self._database = database
        self._stages = stages

    @contextmanager
    def finished(self, limit: int, dagster_id: str | None = None) -> Iterator[list[Outcome]]:
        names = {"limit": limit, "stages": list(self._stages), "longest": TELLING}
        with self._reserved("reserve_outcomes", names) as rows:
            yield [_outcome(row) for row in rows]
        if rows:
            with self._database.transaction() as connection:
                seen = {"job_ids": [row["job_id"] for row in rows], "fences": [row["fence"] for row in rows]}
                connection.execute(query("mark_reported"), seen)
                _list(connection, rows, dagster_id)

    @contextmanager
    def dead_letters(self, limit: int, dagster_id: str | None = None) -> Iterator[list[DocumentId]]:
        with self._reserved("reserve_dead_letters", {"limit": limit, "longest": SHOWING}) as rows:
            yield sorted(DocumentId(row["document_id"]) for row in rows)
        if rows:
            with self._database.transaction() as connection:
                _list(connection, rows, dagster_id)

    def dead_letter_shown(self, document_id: DocumentId) -> None:
        with self._database.connection() as connection:
            connection.execute(query("mark_dead_letter_shown"), {"document_id": document_id})

    def overdue(self, age: timedelta) -> bool:
        with self._database.connection() as connection:
            [row] = connection.execute(query("any_overdue"), {"age": age})
        return bool(row["overdue"])

    def told(self, document_ids: Sequence[DocumentId], dagster_id: str) -> list[DocumentId]:
        names = {"document_ids": list(document_ids), "dagster_id": dagster_id}
        with self._database.connection() as connection:
            return [DocumentId(row["document_id"]) for row in connection.execute(query("reported_documents"), names)]

    def repeat(self, document_ids: Sequence[DocumentId]) -> None:
        with self._database.connection() as connection:
            connection.execute(query("report_again"), {"document_ids": list(document_ids)})

    @contextmanager
    def _reserved(self, statement: str, names: dict[str, Any]) -> Iterator[list[Row]]:
        """Yield rows that others do not get for a while, or at once if the block fails."""
        with self._database.transaction() as connection:
            rows = connection.execute(query(statement), names).fetchall()
        try:
            yield rows
        except BaseException:
            if rows:
                self._end_reservations(rows)
            raise

    def _end_reservations(self, rows: list[Row]) -> None:
        """End reservations if the database can be told; otherwise, they end by themselves."""
        names = {"job_ids": [row["job_id"] for row in rows], "telling_until": rows[0]["telling_until"]}
        with suppress(IngestError), self._database.connection() as connection:
            connection.execute(query("end_reservations"), names)


def _list(connection: Connection[Row], rows: list[Row], dagster_id: str | None) -> None:
    """Note that a Dagster lists the documents, and that one lists those that have been deleted meanwhile."""
    document_ids = [row["document_id"] for row in rows]
    if dagster_id is not None:
        connection.execute(query("move_listings"), {"document_ids": document_ids, "dagster_id": dagster_id})
    connection.execute(query("listed_after_deletion"), {"document_ids": document_ids})


def _outcome(row: Row) -> Outcome:
    payloads = {Stage(name): payload for name, payload in (row["payloads"] or {}).items()}
    return Outcome(job_id=row["job_id"], document_id=row["document_id"], payloads=payloads)
