"""Which ended jobs Dagster has been told of."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ingest_assets.adapters.postgres.database import Database, Row
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.queue.jobs import Outcome
from ingest_assets.domain.queue.stages import Stage


class PostgresReports:
    """The jobs to report; `stages` are those whose events carry what Dagster is told of a finished job."""

    def __init__(self, database: Database, stages: Sequence[Stage]) -> None:
        self._database = database
        self._stages = stages

    @contextmanager
    def finished(self, limit: int) -> Iterator[list[Outcome]]:
        names = {"limit": limit, "stages": list(self._stages)}
        with self._unreported("unreported_outcomes", names) as rows:
            yield [_outcome(row) for row in rows]

    @contextmanager
    def dead_letters(self, limit: int) -> Iterator[list[DocumentId]]:
        with self._unreported("unreported_dead_letters", {"limit": limit}) as rows:
            yield [row["document_id"] for row in rows]

    @contextmanager
    def _unreported(self, statement: str, names: dict[str, Any]) -> Iterator[list[Row]]:
        """Yield rows that stay locked until they are marked as reported."""
        with self._database.transaction() as connection:
            rows = connection.execute(query(statement), names).fetchall()
            yield rows
            if rows:
                connection.execute(query("mark_reported"), {"job_ids": [row["job_id"] for row in rows]})


def _outcome(row: Row) -> Outcome:
    payloads = {Stage(name): payload for name, payload in (row["payloads"] or {}).items()}
    return Outcome(job_id=row["job_id"], document_id=row["document_id"], payloads=payloads)
