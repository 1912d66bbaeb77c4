"""The records of intake in Postgres: documents with their jobs, their sources, and the states of their files."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from psycopg.errors import DeadlockDetected

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.documents.arrivals import accept, known_files, locate, remember_files
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import Acceptance, Arrival, UserId
from ingest_assets.domain.files.file_states import KnownFile
from ingest_assets.domain.queue.jobs import Actor


class PostgresIntakeRecords:
    def __init__(self, database: Database) -> None:
        self._database = database

    def locate(self, arrivals: Sequence[Arrival]) -> list[Acceptance]:
        if not arrivals:
            return []
        with self._database.connection() as connection:
            return locate(connection, arrivals)

    def accept(
        self, arrivals: Sequence[Arrival], located: Sequence[Acceptance], actor: Actor
    ) -> list[Acceptance] | None:
        with self._database.connection() as connection:
            try:
                with connection.transaction():
                    return accept(connection, arrivals, located, actor)
            except DeadlockDetected:
                return None

    def known_files(self, user_id: UserId, paths: Sequence[str]) -> dict[str, KnownFile]:
        with self._database.connection() as connection:
            return known_files(connection, user_id, paths)

    def remember_files(self, user_id: UserId, files: Mapping[str, KnownFile]) -> None:
        with self._database.connection() as connection:
            remember_files(connection, user_id, files)

    @contextmanager
    def paused(self, user_id: UserId) -> Iterator[None]:
        with self._database.transaction() as connection:
            connection.execute(query("lock_user"), {"user_id": user_id})
            yield

    def files_below(self, user_id: UserId, folder: str) -> dict[str, int]:
        names = {"user_id": user_id, "folder": folder.rstrip("/") + "/"}
        with self._database.connection() as connection:
            rows = connection.execute(query("sources_below"), names).fetchall()
        return {row["source"]: int(row["file_device"]) for row in rows}

    def remove_source(self, user_id: UserId, source: str) -> None:
        with self._database.connection() as connection:
            connection.execute(query("remove_source"), {"user_id": user_id, "source": source})
