"""Chunks and vectors in Postgres: the two buffers, and the swap that makes them searchable."""

from collections.abc import Sequence
from typing import Any

from ingest_assets.adapters.postgres.database import Database, Row
from ingest_assets.adapters.postgres.jobs import advance, hold_claim, payload_parameter, require_claim
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents import (
    VECTOR_DIMENSIONS,
    Chunk,
    ChunkId,
    Document,
    DocumentId,
    EmbeddedBatch,
    Producer,
    embedding_input,
)
from ingest_assets.domain.errors import PermanentError, ResourceError
from ingest_assets.domain.jobs import Job, Payload
from ingest_assets.domain.stages import Stage

CHUNK_TYPES = [
    "uuid", "int4", "uuid", "uuid", "text", "text", "text", "text[]", "int4", "int4", "int4", "text", "text"
]  # fmt: skip
VECTOR_TYPES = ["uuid", "text", "text", "text", "uuid", "int4", "vector"]


class PostgresChunkBuffer:
    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, job: Job, chunks: Sequence[Chunk], chunker: Producer, payload: Payload) -> Payload:
        document = job.document
        with self._database.transaction() as connection:
            noted = advance(connection, job, Stage.CHUNKS_BUFFERED, payload=payload)
            connection.execute(query("clear_chunk_buffer"), {"document_id": document.document_id})
            with connection.cursor().copy(query("copy_chunks")) as copy:
                copy.set_types(CHUNK_TYPES)
                for chunk in chunks:
                    copy.write_row(_chunk_row(document, chunk, chunker))
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
        document = job.document
        with self._database.transaction() as connection:
            hold_claim(connection, _held(job))
            with connection.cursor().copy(query("copy_vectors")) as copy:
                copy.set_types(VECTOR_TYPES)
                for chunk_sha, vector in zip(batch.chunk_shas, batch.vectors, strict=True):
                    made_by = (batch.model.name, batch.model.version, document.user_id)
                    copy.write_row((document.document_id, chunk_sha, *made_by, VECTOR_DIMENSIONS, vector))

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


def _chunk_row(document: Document, chunk: Chunk, chunker: Producer) -> tuple[Any, ...]:
    made_by = (chunker.name, chunker.version)
    place = (document.title, list(chunk.heading_path), chunk.page, chunk.start, chunk.end)
    content = (chunk.text, chunk.chunk_sha)
    return (document.document_id, chunk.ordinal, chunk.chunk_id, document.user_id, *made_by, *place, *content)


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
        embedding_input=embedding_input(row["title"], row["heading_path"], row["text"]),
    )
