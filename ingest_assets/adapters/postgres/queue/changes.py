"""Changes in Postgres: stage moves with their events, parses, buffers and commits of versions."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

from psycopg import Connection
from psycopg.types.json import Json, Jsonb

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.rows import claim_columns, model_columns
from ingest_assets.domain.documents.document import Document, DocumentId, Producer
from ingest_assets.domain.errors import PermanentError, ResourceError
from ingest_assets.domain.queue.changes import Change, ChunkedDocument
from ingest_assets.domain.queue.jobs import Payload, without_text
from ingest_assets.domain.queue.stages import sources
from ingest_assets.pipeline.ports.clock import Clock

CHUNKS_AT_ONCE = 1000
"""How many rows of chunks one statement takes, so that a long document's text is not in memory twice."""


class PostgresChanges:
    """`lease` is for how long a long write renews the lease of its job."""

    def __init__(self, database: Database, clock: Clock, lease: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease

    def write_all(self, changes: Sequence[Change], *, reported: bool) -> list[Payload]:
        if len(changes) == 1 and not (changes[0].chunked or changes[0].vectors or changes[0].version):
            with self._database.connection() as connection:
                return self._move(connection, changes, reported=reported)
        with self._database.transaction() as connection:
            live = _hold(connection, changes)
            payloads = self._move(connection, changes, reported=reported)
            for change in changes:
                if change.version is None:
                    _buffer(connection, change, self._lease)
            _commit(connection, [change for change in changes if change.version is not None], live)
        return payloads

    def _move(self, connection: Connection[Row], changes: Sequence[Change], *, reported: bool) -> list[Payload]:
        moving = [change for change in changes if change.moves]
        if not moving:
            return [{} for _ in changes]
        names = {
            "targets": Jsonb([_target(change) for change in moving]),
            "moves": Jsonb([move for change in moving for move in self._moves(change)]),
            "lasting": any(change.is_paid or change.vectors or change.version for change in changes),
            "reported": reported,
        }
        last: dict[Any, Payload] = {
            row["job_id"]: row["payload"] for row in connection.execute(query("move_jobs"), names)
        }
        if len(last) < len(moving):
            raise ResourceError("claim_lost")
        return [last.get(change.job.job_id, {}) for change in changes]

    def _moves(self, change: Change) -> Iterator[dict[str, Any]]:
        now = self._clock.seconds()
        for position, move in enumerate(change.moves):
            yield {
                "job_id": str(change.job.job_id),
                "position": position,
                "stage": move.stage,
                "age": max(0.0, now - move.at),
                "payload": without_text(move.payload),
            }


def _target(change: Change) -> dict[str, Any]:
    """Return the stages a job may come from, the stage it goes to, and what its document gets."""
    target = {
        "job_id": str(change.job.job_id),
        "claim": change.job.claim,
        "fence": change.job.fence,
        "sources": sources(change.moves[0].stage),
        "stage": change.moves[-1].stage,
        "is_done": change.version is not None,
        "correlation_id": change.job.correlation_id,
    }
    if change.parse is not None:
        target |= {
            "parsed_content_sha": change.job.document.content_sha,
            "parsed_sha": change.parse.parsed_sha,
            "parser_name": change.parse.parser.name,
            "parser_version": change.parse.parser.version,
            "page_starts": change.parse.page_starts,
            "warnings": dict(change.parse.warnings),
        }
    return target


def _hold(connection: Connection[Row], changes: Sequence[Change]) -> set[DocumentId]:
    """Lock the jobs and return the documents that have a live version.

    Raises:
        ResourceError: claim_lost.
    """
    jobs = [change.job for change in changes]
    held = connection.execute(query("hold_jobs"), claim_columns(jobs)).fetchall()
    if len(held) < len(jobs):
        raise ResourceError("claim_lost")
    return {row["document_id"] for row in held if row["live_version"] is not None}


def _buffer(connection: Connection[Row], change: Change, lease: timedelta) -> None:
    document = change.job.document
    if change.chunked is not None:
        connection.execute(query("clear_chunk_buffer"), {"document_id": document.document_id})
        rows = _chunk_rows(document, change.chunked)
        while some := list(islice(rows, CHUNKS_AT_ONCE)):
            connection.execute(query("buffer_chunks"), {"chunks": Json(some)})
    for batch in change.vectors:
        vectors = {"chunk_shas": list(batch.chunk_shas), "vectors": list(batch.vectors)}
        whose = {"document_id": document.document_id, "user_id": document.user_id}
        connection.execute(query("buffer_vectors"), whose | model_columns(batch.model) | vectors)
    if change.chunked is not None or change.vectors:
        held = {"job_id": change.job.job_id, "claim": change.job.claim, "lease": lease}
        connection.execute(query("keep_job"), held)


def _commit(connection: Connection[Row], changes: Sequence[Change], live: set[DocumentId]) -> None:
    """Commit versions.

    Raises:
        PermanentError: upstream_missing, if a version is not complete.
    """
    for model in {change.version.model for change in changes if change.version}:
        _commit_of_model(
            connection, [each for each in changes if each.version and each.version.model == model], model, live
        )


def _commit_of_model(
    connection: Connection[Row], changes: Sequence[Change], model: Producer, live: set[DocumentId]
) -> None:
    expected = {change.job.document.document_id: change.version.chunks for change in changes if change.version}
    fresh = [
        (change.job.document.document_id, sha, vector)
        for change in changes
        for batch in change.vectors
        for sha, vector in zip(batch.chunk_shas, batch.vectors, strict=True)
    ]
    rows = [row for change in changes if change.chunked for row in _chunk_rows(change.job.document, change.chunked)]
    names = model_columns(model) | {
        "document_ids": list(expected),
        "buffered": [change.job.document.document_id for change in changes if change.chunked is None],
        "next_documents": [row["document_id"] for row in rows],
        "next_chunks": [row["chunk_id"] for row in rows],
        "chunks": Json(rows),
        "fresh_documents": [document_id for document_id, _, _ in fresh],
        "fresh_shas": [sha for _, sha, _ in fresh],
        "fresh_vectors": [vector for _, _, vector in fresh],
    }
    if live & expected.keys():
        connection.execute(query("remove_replaced_chunks"), names)
    committed = connection.execute(query("commit_chunks"), names).fetchall()
    if {row["document_id"]: row["chunks"] for row in committed} != expected:
        raise PermanentError("upstream_missing")


def _chunk_rows(document: Document, chunked: ChunkedDocument) -> Iterator[dict[str, Any]]:
    """Yield the chunks as rows of the buffer."""
    common = {
        "document_id": str(document.document_id),
        "user_id": str(document.user_id),
        "chunker_name": chunked.chunker.name,
        "chunker_version": chunked.chunker.version,
        "title": document.title,
    }
    for chunk in chunked.chunks:
        yield common | {
            "chunk_ord": chunk.ordinal,
            "chunk_id": str(chunk.chunk_id),
            "heading_path": chunk.heading_path,
            "page": chunk.page,
            "start_offset": chunk.start,
            "end_offset": chunk.end,
            "text": chunk.text,
            "chunk_sha": chunk.chunk_sha,
        }
