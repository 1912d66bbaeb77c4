"""Chunks and vectors in Postgres: the two buffers, and the swap that makes them searchable."""

from collections.abc import Sequence
from typing import Any

from psycopg.types.json import Json

from ingest_assets.adapters.postgres.database import Database, Row
from ingest_assets.adapters.postgres.jobs import advance, hold_claim, payload_parameter, require_claim
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import (
    Chunk,
    ChunkId,
    Document,
    DocumentId,
    EmbeddedBatch,
    Producer,
)
from ingest_assets.domain.errors import PermanentError, ResourceError
from ingest_assets.domain.queue.jobs import Job, Payload
from ingest_assets.domain.queue.stages import Stage

CHUNKS_AT_ONCE = 1000
"""In one statement: JSON and the driver hold each several times over."""


class PostgresChunkBuffer:
    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, job: Job, chunks: Sequence[Chunk], chunker: Producer, payload: Payload) -> Payload:
        document = job.document
        with self._database.transaction() as connection:
            noted = advance(connection, job, Stage.CHUNKS_BUFFERED, payload=payload)
            connection.execute(query("clear_chunk_buffer"), {"document_id": document.document_id})
            for first in range(0, len(chunks), CHUNKS_AT_ONCE):
                few = chunks[first : first + CHUNKS_AT_ONCE]
                connection.execute(query("buffer_chunks"), _chunk_rows(document, few, chunker))
        return noted

    def load(self, document_id: DocumentId) -> list[Chunk]:
        with self._database.connection() as connection:
            names = {"document_id": document_id}
            buffered = connection.execute(query("buffered_chunks"), names).fetchall()
            rows = buffered or connection.execute(query("committed_chunks"), names).fetchall()
        if not rows:
            raise PermanentError("upstream_missing")
        return [_chunk(row) for row in rows]


class PostgresVectorBuffer:
    def __init__(self, database: Database) -> None:
        self._database = database

    def reuse(self, job: Job, chunk_shas: Sequence[str], model: Producer) -> set[str]:
        names = _held(job) | _model(model) | {"chunk_shas": list(chunk_shas)}
        with self._database.connection() as connection:
            rows = connection.execute(query("reuse_vectors"), names).fetchall()
        if not rows:
            raise ResourceError("claim_lost")
        return {row["chunk_sha"] for row in rows} & set(chunk_shas)

    def append(self, job: Job, batch: EmbeddedBatch) -> None:
        vectors = {"chunk_shas": list(batch.chunk_shas), "vectors": list(batch.vectors)}
        with self._database.transaction() as connection:
            hold_claim(connection, _held(job))
            connection.execute(query("buffer_vectors"), _held(job) | _model(batch.model) | vectors)

    def complete(self, job: Job, payload: Payload) -> Payload:
        with self._database.connection() as connection:
            return require_claim(connection, "note_event", _held(job) | {"payload": payload_parameter(payload)})

    def present(self, document_id: DocumentId, model: Producer) -> set[str]:
        with self._database.connection() as connection:
            rows = connection.execute(query("present_vectors"), {"document_id": document_id} | _model(model)).fetchall()
        return {row["chunk_sha"] for row in rows}


class PostgresCommittedChunks:
    def __init__(self, database: Database) -> None:
        self._database = database

    def swap(
        self,
        job: Job,
        model: Producer,
        expected: int,
        payload: Payload,
        *,
        fresh: EmbeddedBatch | None,
        reported: bool,
    ) -> Payload:
        told = {"payload": payload_parameter(payload), "reported": reported}
        names = _held(job) | _model(model) | _fresh(fresh) | told
        with self._database.transaction() as connection:
            connection.execute(query("lock_document"), names)
            noted = require_claim(connection, "finish_job", names)
            connection.execute(query("remove_replaced_chunks"), names)
            connection.execute(query("commit_chunks"), names)
            row = connection.execute(query("count_committed"), names).fetchone()
            if row is None or row["count"] != expected:
                raise PermanentError("upstream_missing")
            for name in ("go_live", "clear_chunk_buffer", "clear_vector_buffer"):
                connection.execute(query(name), names)
        return noted


def _fresh(batch: EmbeddedBatch | None) -> dict[str, Any]:
    if batch is None:
        return {"fresh_shas": [], "fresh_vectors": []}
    return {"fresh_shas": list(batch.chunk_shas), "fresh_vectors": list(batch.vectors)}


def _held(job: Job) -> dict[str, Any]:
    document = job.document
    return {
        "job_id": job.job_id,
        "claim": job.claim,
        "stage": Stage.EMBEDDING,
        "document_id": document.document_id,
        "user_id": document.user_id,
    }


def _model(model: Producer) -> dict[str, Any]:
    return {"embed_model": model.name, "embed_version": model.version}


def _chunk_rows(document: Document, chunks: Sequence[Chunk], chunker: Producer) -> dict[str, Any]:
    rows = [
        {
            "chunk_ord": chunk.ordinal,
            "chunk_id": str(chunk.chunk_id),
            "heading_path": chunk.heading_path,
            "page": chunk.page,
            "start_offset": chunk.start,
            "end_offset": chunk.end,
            "text": chunk.text,
            "chunk_sha": chunk.chunk_sha,
        }
        for chunk in chunks
    ]
    made_by = {"chunker_name": chunker.name, "chunker_version": chunker.version}
    whose = {"document_id": document.document_id, "user_id": document.user_id, "title": document.title}
    return whose | made_by | {"chunks": Json(rows)}


def _chunk(row: Row) -> Chunk:
    return Chunk(
        chunk_id=ChunkId(row["chunk_id"]),
        ordinal=row["chunk_ord"],
        text=row["text"],
        start=row["start_offset"],
        end=row["end_offset"],
        heading_path=tuple(row["heading_path"]),
        page=row["page"],
        chunk_sha=row["chunk_sha"],
        title=row["title"],
    )
