"""The objects that rows name, in Postgres, for the sweep."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from psycopg import Connection

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database, assure_session
from ingest_assets.adapters.postgres.locks import intake_of, lock
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.documents.sweeping import RecordedObjects
from ingest_assets.pipeline.ports.sweeping import HeldDocuments
from ingest_assets.pipeline.stored_objects import arrived_content_key, parsed_key

AT_ONCE = 1000
BEFORE_ALL = UUID(int=0)


class _Held(HeldDocuments):
    def __init__(self, documents: Mapping[DocumentId, RecordedObjects | None], connection: Connection[Row]) -> None:
        self._documents = documents
        self._connection = connection

    def __getitem__(self, document_id: DocumentId) -> RecordedObjects | None:
        return self._documents[document_id]

    def __iter__(self) -> Iterator[DocumentId]:
        return iter(self._documents)

    def __len__(self) -> int:
        return len(self._documents)

    def assure(self) -> None:
        assure_session(self._connection)


class PostgresObjectRecords:
    def __init__(self, database: Database) -> None:
        self._database = database

    def by_owner(self) -> Iterator[RecordedObjects]:
        owner = self._rows("next_owner", {"after": BEFORE_ALL})
        while owner:
            user_id = owner[0]["user_id"]
            yield from self._of_user(user_id)
            owner = self._rows("next_owner", {"after": user_id})

    def _of_user(self, user_id: UserId) -> Iterator[RecordedObjects]:
        names = {"user_id": user_id, "after": BEFORE_ALL, "limit": AT_ONCE}
        while rows := self._rows("recorded_after", names):
            yield from map(recorded, rows)
            names["after"] = rows[-1]["document_id"]

    def of_documents(self, document_ids: Sequence[DocumentId]) -> dict[DocumentId, RecordedObjects]:
        rows = self._rows("recorded_of", {"document_ids": list(document_ids)})
        return {row["document_id"]: recorded(row) for row in rows}

    @contextmanager
    def held(self, user_id: UserId, document_ids: Sequence[DocumentId]) -> Iterator[HeldDocuments]:
        names = {"user_id": user_id, "document_ids": list(document_ids)}
        with self._database.transaction() as connection:
            lock(connection, intake_of(user_id))
            idle = {row["document_id"] for row in connection.execute(query("hold_idle"), names)}
            found = {row["document_id"]: recorded(row) for row in connection.execute(query("recorded_of"), names)}
            held = {each: found.get(each) for each in document_ids if each in idle or each not in found}
            yield _Held(held, connection)

    def _rows(self, name: str, names: dict[str, Any]) -> list[Row]:
        with self._database.connection() as connection:
            return connection.execute(query(name), names).fetchall()


def recorded(row: Row) -> RecordedObjects:
    """Return what a row says of its document's objects."""
    owner = UserId(row["user_id"]), DocumentId(row["document_id"])
    content = arrived_content_key(*owner, row["content_sha"])
    text = parsed_key(*owner, row["parsed_sha"]) if row["parsed_sha"] else content
    is_parsed = row["parsed_content_sha"] == row["content_sha"]
    return RecordedObjects(
        *owner,
        required=frozenset({content, text} if is_parsed else {content}),
        named=frozenset({content, text}),
        is_superseded=row["live_version"] is not None and row["live_version"] < row["version"],
        changed_at=row["updated_at"],
    )
