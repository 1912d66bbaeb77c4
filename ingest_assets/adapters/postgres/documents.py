"""Documents in Postgres: what came in, where its parse is kept, where it stands."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

from psycopg import Connection

from ingest_assets.adapters.postgres.database import Database, Row
from ingest_assets.adapters.postgres.jobs import advance
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents import (
    Acceptance,
    AcceptanceStatus,
    Arrival,
    Document,
    DocumentId,
    JobId,
    Producer,
    StoredParse,
    UserId,
)
from ingest_assets.domain.jobs import Event, FailedDocument, Job, JobStatus, Payload
from ingest_assets.domain.stages import Stage, State


class PostgresDocuments:
    def __init__(self, database: Database) -> None:
        self._database = database

    def locate(self, arrival: Arrival) -> Acceptance:
        with self._database.connection() as connection:
            return _locate(connection, arrival)

    def accept(self, arrival: Arrival, document_id: DocumentId, actor: str) -> Acceptance | None:
        with self._database.transaction() as connection:
            connection.execute(query("lock_user"), {"user_id": arrival.user_id})
            found = _locate(connection, arrival)
            makes_document = found.status is AcceptanceStatus.QUEUED
            if not makes_document and found.document_id != document_id:
                return None
            accepted = replace(found, document_id=document_id)
            _save(connection, arrival, accepted, actor)
            return accepted

    def find(self, document_id: DocumentId) -> Document | None:
        row = self._one("find_document", {"document_id": document_id})
        return None if row is None else Document(**row)

    def stored_parse(self, document: Document) -> StoredParse | None:
        row = self._one("stored_parse", {"document_id": document.document_id, "content_sha": document.content_sha})
        if row is None:
            return None
        parser = Producer(row["parser_name"], row["parser_version"])
        return StoredParse(row["parsed_sha"], tuple(row["page_starts"]), parser)

    def save_parse(self, job: Job, parse: StoredParse, payload: Payload) -> Payload:
        with self._database.transaction() as connection:
            noted = advance(connection, job, Stage.PARSED, Stage.PARSE_VALIDATED, payload=payload)
            connection.execute(
                query("save_parse"),
                {
                    "document_id": job.document.document_id,
                    "content_sha": job.document.content_sha,
                    "parsed_sha": parse.parsed_sha,
                    "parser_name": parse.parser.name,
                    "parser_version": parse.parser.version,
                    "page_starts": list(parse.page_starts),
                },
            )
        return noted

    def status(self, document_id: DocumentId) -> JobStatus | None:
        row = self._one("job_status", {"document_id": document_id})
        if row is None:
            return None
        del row["user_id"]
        return JobStatus(**row | {"stage": Stage(row["stage"]), "state": State(row["state"])})

    def counts(self) -> dict[str, int]:
        row = self._one("count_documents", {})
        return dict(row or {})

    def failed(self) -> list[FailedDocument]:
        with self._database.connection() as connection:
            rows = connection.execute(query("failed_documents")).fetchall()
        return [FailedDocument(**row | {"stage": Stage(row["stage"]), "state": State(row["state"])}) for row in rows]

    def history(self, document_id: DocumentId) -> list[Event]:
        with self._database.connection() as connection:
            rows = connection.execute(query("job_history"), {"document_id": document_id}).fetchall()
        return [Event(**row | {"stage": Stage(row["stage"]), "state": State(row["state"])}) for row in rows]

    def delete(self, document_id: DocumentId, actor: str) -> UserId | None:
        with self._database.transaction() as connection:
            names = {"document_id": document_id, "actor": actor}
            connection.execute(query("note_deletion"), names)
            row = connection.execute(query("delete_document"), names).fetchone()
        return None if row is None else UserId(row["user_id"])

    def sources(self, document_id: DocumentId) -> list[str]:
        with self._database.connection() as connection:
            rows = connection.execute(query("sources_of_document"), {"document_id": document_id}).fetchall()
        return [row["source"] for row in rows]

    def _one(self, name: str, names: dict[str, Any]) -> Row | None:
        with self._database.connection() as connection:
            return connection.execute(query(name), names).fetchone()


def _locate(connection: Connection[Row], arrival: Arrival) -> Acceptance:
    names = {"user_id": arrival.user_id, "source": arrival.source, "content_sha": arrival.content_sha}
    known = connection.execute(query("document_of_source"), names).fetchone()
    if known is not None and known["content_sha"] == arrival.content_sha:
        return _acceptance(known, AcceptanceStatus.UNCHANGED)
    if known is not None and not known["shared"]:
        return _acceptance(known, AcceptanceStatus.NEW_VERSION)
    copy = connection.execute(query("document_of_content"), names).fetchone()
    if copy is not None:
        return _acceptance(copy, AcceptanceStatus.UNCHANGED)
    return Acceptance(DocumentId(uuid4()), JobId(uuid4()), AcceptanceStatus.QUEUED)


def _acceptance(row: Row, status: AcceptanceStatus) -> Acceptance:
    failure = row["error_code"] if status is AcceptanceStatus.UNCHANGED and row["state"] == State.DEADLETTER else None
    return Acceptance(DocumentId(row["document_id"]), JobId(row["job_id"]), status, failure)


def _save(connection: Connection[Row], arrival: Arrival, accepted: Acceptance, actor: str) -> None:
    names = {
        "document_id": accepted.document_id,
        "job_id": accepted.job_id,
        "user_id": arrival.user_id,
        "source": arrival.source,
        "filename": arrival.filename,
        "media_type": arrival.media_type,
        "byte_size": arrival.byte_size,
        "content_sha": arrival.content_sha,
        "priority": arrival.priority,
        "actor": actor,
    }
    if accepted.status is AcceptanceStatus.QUEUED:
        connection.execute(query("insert_document"), names)
        connection.execute(query("insert_job"), names)
    elif accepted.status is AcceptanceStatus.NEW_VERSION:
        connection.execute(query("replace_content"), names)
        connection.execute(query("requeue_version"), names)
    connection.execute(query("save_source"), names)
