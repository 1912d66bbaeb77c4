"""The records of intake in Postgres: documents with their jobs, their sources, and the states of their files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from psycopg.errors import CheckViolation, DeadlockDetected
from psycopg.types.json import Jsonb

from ingest_assets.adapters.postgres.database import BROKEN, Database, assure_session
from ingest_assets.adapters.postgres.documents.arrivals import accept, known_files, locate, remember_files, taken_out
from ingest_assets.adapters.postgres.locks import intake_of, lock
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import Acceptance, Arrival, DocumentId, UserId
from ingest_assets.domain.documents.metadata import Changes
from ingest_assets.domain.errors import PermanentError, TransientError
from ingest_assets.domain.files.file_states import KnownFile
from ingest_assets.domain.queue.jobs import Actor

LONGEST_PAUSE = "30s"
"""How long intake is held back while rows are deleted over another connection, which may itself wait for locks."""


class PostgresIntakeRecords:
    def __init__(self, database: Database) -> None:
        self._database = database

    def locate(self, arrivals: Sequence[Arrival]) -> list[Acceptance]:
        if not arrivals:
            return []
        with self._database.connection() as connection:
            return locate(connection, arrivals)

    def accept(
        self,
        arrivals: Sequence[Arrival],
        located: Sequence[Acceptance],
        actor: Actor,
        are_stored: Callable[[], bool] = lambda: True,
    ) -> list[Acceptance] | None:
        commits = False
        with self._database.connection() as connection:
            try:
                with connection.transaction():
                    accepted = accept(connection, arrivals, located, actor, are_stored)
                    commits = accepted is not None
            except DeadlockDetected:
                return None
            except BROKEN:
                if not commits:
                    raise
                raise TransientError("intake_unconfirmed") from None
        return accepted

    def describe(self, user_id: UserId, changes: Mapping[DocumentId, Changes]) -> None:
        names = {"user_id": user_id}
        given = Jsonb({str(document_id): dict(each) for document_id, each in changes.items()})
        try:
            with self._database.transaction() as connection:
                lock(connection, intake_of(user_id))  # attachments that come in now would miss what is not there yet
                for parent_id, below in taken_out(connection, changes).items():
                    attachments = {"parent_id": parent_id, "document_ids": list(below)}
                    each = {"changes": Jsonb(dict(changes[parent_id]))}
                    connection.execute(query("describe_attachments"), names | attachments | each)
                connection.execute(query("describe_documents"), names | {"changes": given})
        except CheckViolation:
            raise PermanentError(
                "invalid_metadata", what="together with what is known already, it is too much."
            ) from None

    def known_files(self, user_id: UserId, paths: Sequence[str]) -> dict[str, KnownFile]:
        with self._database.connection() as connection:
            return known_files(connection, user_id, paths)

    def remember_files(self, user_id: UserId, files: Mapping[str, KnownFile]) -> None:
        with self._database.connection() as connection:
            remember_files(connection, user_id, files)

    @contextmanager
    def paused(self, user_id: UserId) -> Iterator[Callable[[], None]]:
        with self._database.transaction() as connection:
            connection.execute(query("hold_for_longer"), {"longest_hold": LONGEST_PAUSE})
            lock(connection, intake_of(user_id))
            yield lambda: assure_session(connection)

    def files_below(self, user_id: UserId, folder: str) -> dict[str, int]:
        names = {"user_id": user_id, "folder": folder.rstrip("/") + "/"}
        with self._database.connection() as connection:
            rows = connection.execute(query("sources_below"), names).fetchall()
        return {row["source"]: int(row["file_device"]) for row in rows}

    def remove_source(self, user_id: UserId, source: str) -> None:
        with self._database.connection() as connection:
            connection.execute(query("remove_source"), {"user_id": user_id, "source": source})
