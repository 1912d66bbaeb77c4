"""What the pipeline's writes cost per row, beside a COPY of the very same rows into a copy of their table.

Each port's method is timed where the pipeline's own steps call it. One process, one connection at a time.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString, cast

from ingest_assets.pipeline.chunk import chunk_parse, store_chunks
from ingest_assets.pipeline.commit import commit_version, complete_version
from ingest_assets.pipeline.embed import StoredVectors, embed_chunks, store_embedding
from ingest_assets.pipeline.parse import parse_document, store_parse
from psycopg import sql

from benchmarks.deployments import Home, fresh_home
from benchmarks.documents import write_documents
from benchmarks.figures import Figures
from benchmarks.intake import intake_of
from benchmarks.job_alone import job_alone
from benchmarks.sizes import Sizes
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Chunk
from ingest_assets.domain.queue.jobs import Job

CLAIMED_AT_ONCE = (10, 32)
CLAIMS = 10

TIMED = ("jobs", "chunk_buffer", "vector_buffer", "committed")


@dataclass
class Timed:
    """Stands before a service and adds up what each of its methods takes."""

    service: Any
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    calls: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self.service, name)

        def call(*arguments: Any, **named: Any) -> Any:
            begun = time.perf_counter()
            try:
                return method(*arguments, **named)
            finally:
                self.seconds[name] += time.perf_counter() - begun
                self.calls[name] += 1

        return call


def measure(sizes: Sizes) -> Iterator[Figures]:
    for _ in range(sizes.repetitions):
        with fresh_home() as home:
            yield (
                _job_rows(home, sizes.row_documents)
                | _content_rows(home)
                | _claims(home)
                | job_alone(home, sizes.jobs_alone)
            )


def _job_rows(home: Home, documents: int) -> Figures:
    paths = write_documents(home.folder / "documents", documents)
    begun = time.perf_counter()
    for path in paths:
        intake_of(home).file(path)
    seconds = time.perf_counter() - begun
    floor = (
        _copy_seconds(home, "documents") + _copy_seconds(home, "document_sources") + _copy_seconds(home, "upload_jobs")
    )
    return {"row_job_ms": 1000 * seconds / documents, "row_job_floor_ms": 1000 * floor / documents}


def _claims(home: Home) -> Figures:
    for number in range(CLAIMS * max(CLAIMED_AT_ONCE)):
        intake_of(home).note(number)
    figures = {f"row_claim_{limit}_ms": _claim_milliseconds(home.deployment, limit) for limit in CLAIMED_AT_ONCE}
    jobs = home.row("SELECT count(*) AS rows FROM upload_pipeline.upload_jobs")["rows"]
    return figures | {"row_claim_floor_ms": 1000 * _copy_seconds(home, "upload_jobs") / jobs}


def _claim_milliseconds(deployment: Deployment, limit: int) -> float:
    """Per job."""
    claimed = seconds = 0.0
    for number in range(CLAIMS):
        begun = time.perf_counter()
        claimed += len(deployment.claims.claim(f"claim {number}", limit, deployment.settings.lease))
        seconds += time.perf_counter() - begun
    for number in range(CLAIMS):
        deployment.claims.release(f"claim {number}")
    return 1000 * seconds / claimed


def _content_rows(home: Home) -> Figures:
    """Step by step for all documents, so that each buffer is full when its rows are copied."""
    deployment = home.deployment
    timed = {name: Timed(getattr(deployment, name)) for name in TIMED}
    deployment = deployment.replacing(**cast("dict[str, Any]", timed))
    jobs = deployment.claims.claim("all", 1_000_000, deployment.settings.lease)
    begun = time.perf_counter()
    chunks = [_parse_and_chunk(job, deployment) for job in jobs]
    seconds, floors = time.perf_counter() - begun, {"chunk": _copy_seconds(home, "document_chunk_buffer")}
    begun = time.perf_counter()
    for job, made in zip(jobs, chunks, strict=True):
        _embed(job, made, deployment)
    seconds, floors["vector"] = seconds + time.perf_counter() - begun, _copy_seconds(home, "document_vector_buffer")
    begun = time.perf_counter()
    for job, made in zip(jobs, chunks, strict=True):
        stored = StoredVectors(deployment.embedder.model, frozenset(chunk.chunk_sha for chunk in made))
        commit_version(job, complete_version(made, stored), committed=deployment.committed, reported=True)
    seconds, floors["swap"] = seconds + time.perf_counter() - begun, _copy_seconds(home, "document_chunks")
    rows = sum(map(len, chunks))
    return {
        "row_chunk_ms": 1000 * timed["chunk_buffer"].seconds["save"] / rows,
        "row_vector_ms": 1000 * timed["vector_buffer"].seconds["append"] / rows,
        "row_swap_ms": 1000 * timed["committed"].seconds["swap"] / rows,
        "row_event_ms": 1000 * timed["jobs"].seconds["advance"] / timed["jobs"].calls["advance"],
        "row_event_floor_ms": 1000 * _copy_seconds(home, "events") / _count(home, "events"),
        "document_s": seconds / len(jobs),
    } | {f"row_{name}_floor_ms": 1000 * floor / rows for name, floor in floors.items()}


def _parse_and_chunk(job: Job, deployment: Deployment) -> list[Chunk]:
    jobs, documents, objects = deployment.jobs, deployment.documents, deployment.objects
    parsed = parse_document(job, jobs=jobs, documents=documents, objects=objects, parser=deployment.parser)
    store_parse(job, parsed, documents=documents, objects=objects)
    chunks = chunk_parse(job, parsed, deployment.chunking, jobs=jobs)
    store_chunks(job, chunks, deployment.chunking, chunk_buffer=deployment.chunk_buffer)
    return chunks


def _embed(job: Job, chunks: Sequence[Chunk], deployment: Deployment) -> None:
    buffer = deployment.vector_buffer
    embedding = embed_chunks(job, chunks, jobs=deployment.jobs, vector_buffer=buffer, embedder=deployment.embedder)
    store_embedding(job, embedding, vector_buffer=buffer)


def _copy_seconds(home: Home, table: LiteralString) -> float:
    """Of all rows of the table, in binary, into an empty one with the same indexes."""
    names = {"table": sql.Identifier("upload_pipeline", table)}
    home.database.execute(sql.SQL("CREATE TABLE row_floor (LIKE {table} INCLUDING ALL)").format(**names))
    try:
        with home.database.cursor().copy(sql.SQL("COPY {table} TO STDOUT (FORMAT BINARY)").format(**names)) as copy:
            rows = b"".join(copy)
        begun = time.perf_counter()
        with home.database.cursor().copy("COPY row_floor FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(rows)
        return time.perf_counter() - begun
    finally:
        home.database.execute("DROP TABLE row_floor")


def _count(home: Home, table: LiteralString) -> int:
    statement = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier("upload_pipeline", table))
    row = home.database.execute(statement).fetchone()
    return 0 if row is None else int(row["count"])
