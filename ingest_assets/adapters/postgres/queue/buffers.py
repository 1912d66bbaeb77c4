"""The results of earlier steps: chunks and vectors, buffered or committed."""

from collections.abc import Sequence

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.rows import model_columns
from ingest_assets.domain.documents.document import Chunk, ChunkId, DocumentId, Producer
from ingest_assets.domain.errors import PermanentError, ResourceError
from ingest_assets.domain.queue.jobs import Job


class PostgresChunkBuffer:
    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self, document_id: DocumentId) -> list[Chunk]:
        with self._database.connection() as connection:
            names = {"document_id": document_id}
            buffered = connection.execute(query("buffered_chunks"), names).fetchall()
            rows = buffered or connection.execute(query("committed_chunks"), names).fetchall()
        if not rows:
            raise PermanentError("upstream_missing")
        return [_chunk(row) for row in rows]

    def buffered(self, document_id: DocumentId, chunker: Producer) -> list[Chunk]:
        with self._database.connection() as connection:
            rows = connection.execute(query("buffered_chunks"), {"document_id": document_id}).fetchall()
        made = {(row["chunker_name"], row["chunker_version"]) for row in rows} == {(chunker.name, chunker.version)}
        return [_chunk(row) for row in rows] if made else []


class PostgresVectorBuffer:
    def __init__(self, database: Database) -> None:
        self._database = database

    def reuse(self, job: Job, chunk_shas: Sequence[str], model: Producer) -> set[str]:
        held = {"job_id": job.job_id, "claim": job.claim, "fence": job.fence}
        whose = {"document_id": job.document.document_id, "user_id": job.document.user_id}
        names = held | whose | model_columns(model) | {"chunk_shas": list(chunk_shas)}
        with self._database.connection() as connection:
            rows = connection.execute(query("reuse_vectors"), names).fetchall()
        if not rows:
            raise ResourceError("claim_lost")
        return {row["chunk_sha"] for row in rows} & set(chunk_shas)

    def present(self, document_id: DocumentId, model: Producer) -> set[str]:
        names = {"document_id": document_id} | model_columns(model)
        with self._database.connection() as connection:
            return {row["chunk_sha"] for row in connection.execute(query("present_vectors"), names)}


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
