"""What the pipeline's writes cost per row, beside a COPY of the very same rows into a copy of their table.

Each port's method is timed where the pipeline's own steps call it. One process, one connection at a time.
"""

import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, LiteralString

from psycopg import sql

from benchmarks.deployments import Home, fresh_home
from benchmarks.documents import write_documents
from benchmarks.figures import Figures
from benchmarks.intake import intake_of
from benchmarks.job_alone import job_alone
from benchmarks.sizes import Sizes
from ingest_assets.composition import Deployment
from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Payload
from ingest_assets.pipeline.ports.processing import Changes

CLAIMED_AT_ONCE = (10, 32)
CLAIMS = 10

TABLES: dict[str, tuple[str, LiteralString]] = {
    "chunks": ("chunk", "document_chunk_buffer"),
    "embeddings": ("vector", "document_vector_buffer"),
    "finalized_chunks": ("commit", "document_chunks"),
}
"""By asset: a short name, and the table that its step fills."""


@dataclass
class TimedChanges:
    """The deployment's changes, with how long those of each step took together."""

    changes: Changes
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    moves: int = 0
    """Changes that only move a job on."""

    def write_all(self, changes: Sequence[Change], *, reported: bool) -> list[Payload]:
        begun = time.perf_counter()
        payloads = self.changes.write_all(changes, reported=reported)
        for change in changes:
            self.seconds[_kind_of(change)] += (time.perf_counter() - begun) / len(changes)
            self.moves += _kind_of(change) == "event"
        return payloads


def _kind_of(change: Change) -> str:
    if change.version is not None:
        return "commit"
    return "chunk" if change.chunked else "vector" if change.vectors else "event"


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
    timed = TimedChanges(home.deployment.changes)
    deployment = home.deployment.replacing(changes=timed)
    jobs = deployment.claims.claim("all", 1_000_000, deployment.settings.lease)
    values: list[dict[str, Any]] = [{} for _ in jobs]
    floors, seconds = {}, 0.0
    for step in deployment.steps.values():
        begun = time.perf_counter()
        for job, known in zip(jobs, values, strict=True):
            known[step.asset] = step.run(job, *(known[asset] for asset in step.reads))
            step.store(job, known[step.asset])
        seconds += time.perf_counter() - begun
        if step.asset in TABLES:
            name, table = TABLES[step.asset]
            floors[name] = _copy_seconds(home, table)
    rows = sum(len(known["chunks"]) for known in values)
    return {
        "row_chunk_ms": 1000 * timed.seconds["chunk"] / rows,
        "row_vector_ms": 1000 * timed.seconds["vector"] / rows,
        "row_commit_ms": 1000 * timed.seconds["commit"] / rows,
        "row_event_ms": 1000 * timed.seconds["event"] / timed.moves,
        "row_event_floor_ms": 1000 * _copy_seconds(home, "events") / _count(home, "events"),
        "document_s": seconds / len(jobs),
    } | {f"row_{name}_floor_ms": 1000 * floor / rows for name, floor in floors.items()}


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
