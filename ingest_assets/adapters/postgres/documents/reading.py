"""Documents in Postgres as the reader may see them: what they are, where they stand, and what happened to them."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from itertools import groupby
from operator import itemgetter
from typing import Any, Protocol

from psycopg import Connection

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.rows import document_of, warnings_of
from ingest_assets.domain.documents.attachments import ListedAttachment
from ingest_assets.domain.documents.document import Document, DocumentId, UserId, source_within
from ingest_assets.domain.documents.listing import ListedDocument, Listing
from ingest_assets.domain.documents.naming import DocumentName, NamedDocument
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.jobs import Announcement, Event, FailedCause, FailedDocument, JobStatus
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.queue.stages import Stage, State


class Readable(Protocol):
    def connection(self) -> AbstractContextManager[Connection[Row]]: ...


class PostgresDocuments:
    def __init__(self, database: Readable) -> None:
        self._seen = database

    def find(self, document_id: DocumentId) -> Document | None:
        row = self._one("find_document", {"document_id": document_id})
        return None if row is None else document_of(row)

    def named(self, name: DocumentName, limit: int) -> list[NamedDocument]:
        first, last = name.ids or (None, None)
        names = {"name": name.text, "source": name.source, "first_id": first, "last_id": last, "limit": limit}
        with self._seen.connection() as connection:
            return [NamedDocument(**row) for row in connection.execute(query("named_documents"), names)]

    def metadata(self, document_id: DocumentId) -> dict[str, str] | None:
        row = self._one("metadata_of_document", {"document_id": document_id})
        return None if row is None else row["metadata"]

    def facets(
        self, user_id: UserId, keys: Sequence[str], limit: int, documents: Sequence[DocumentId] | None = None
    ) -> dict[str, dict[str, int]]:
        chosen = None if documents is None else list(documents)
        names = {"user_id": user_id, "keys": list(dict.fromkeys(keys)), "limit": limit, "documents": chosen}
        found: dict[str, dict[str, int]] = {key: {} for key in keys}
        with self._seen.connection() as connection:
            for row in connection.execute(query("facets"), names):
                found[row["key"]][row["value"]] = row["documents"]
        return found

    def sources(self, document_id: DocumentId) -> list[str]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("sources_of_document"), {"document_id": document_id}).fetchall()
        return [row["source"] for row in rows]

    def status(self, document_id: DocumentId) -> JobStatus | None:
        row = self._one("job_status", {"document_id": document_id})
        if row is None:
            return None
        del row["user_id"]
        return JobStatus(**_placed(row) | {"lane": Lane(row["lane"]), "warnings": warnings_of(row)})

    def states(self, document_ids: Sequence[DocumentId]) -> dict[State, int]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("count_states"), {"document_ids": list(document_ids)}).fetchall()
        return {State(row["state"]): row["jobs"] for row in rows}

    def history(self, document_id: DocumentId) -> list[Event]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("job_history"), {"document_id": document_id}).fetchall()
        return [Event(**_placed(row)) for row in rows]

    def counts(self) -> dict[str, int]:
        row = self._one("count_documents", {})
        return dict(row or {})

    def by_stage_and_state(self) -> dict[str, int]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("count_jobs")).fetchall()
        return {f"{row['stage']}/{row['state']}": row["jobs"] for row in rows}

    def attachments(self, document_id: DocumentId) -> list[ListedAttachment]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("attachments_of_document"), {"document_id": document_id}).fetchall()
        return [_attachment_of(row, document_id) for row in rows]

    def listed(self, listing: Listing) -> list[ListedDocument]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("list_documents"), asdict(listing)).fetchall()
        if not rows and listing.after is not None and self.find(listing.after) is None:
            raise PermanentError("unknown_document")
        return [ListedDocument(**_placed(row) | {"warnings": warnings_of(row)}) for row in rows]

    def announced(self, after: int, until: int, limit: int) -> list[Announcement]:
        names = {"after_event": after, "last_event": until, "limit": limit}
        with self._seen.connection() as connection:
            rows = connection.execute(query("announcements"), names).fetchall()
        return [Announcement(**row | {"state": State(row["state"])}) for row in rows]

    def failed(self, code: str | None = None, limit: int | None = None) -> list[FailedDocument]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("failed_documents"), {"code": code, "limit": limit}).fetchall()
        return [FailedDocument(**_placed(row)) for row in rows]

    def failed_causes(self) -> list[FailedCause]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("failed_causes")).fetchall()
        return [FailedCause(**row | {"stages": tuple(map(Stage, row["stages"]))}) for row in rows]

    def failed_sources(self, code: str) -> dict[UserId, list[str]]:
        with self._seen.connection() as connection:
            rows = connection.execute(query("failed_sources"), {"code": code}).fetchall()
        return {user_id: [row["source"] for row in some] for user_id, some in groupby(rows, itemgetter("user_id"))}

    def _one(self, name: str, names: dict[str, Any]) -> Row | None:
        with self._seen.connection() as connection:
            return connection.execute(query(name), names).fetchone()


def _placed(row: Row) -> Row:
    """Return the row with its stage and state as the pipeline's values."""
    return row | {"stage": Stage(row["stage"]), "state": State(row["state"])}


def _attachment_of(row: Row, parent: DocumentId) -> ListedAttachment:
    if row["document_id"] is None:
        return ListedAttachment(row["path"], None, None, None, searchable=False, code=row["code"])
    path = row["source"].removeprefix(source_within(parent, ""))
    place = Stage(row["stage"]), State(row["state"])
    return ListedAttachment(path, row["document_id"], *place, searchable=row["searchable"], code=row["code"])
