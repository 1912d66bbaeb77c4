"""What the pipeline's writes cost per row, beside a COPY of the very same rows into a copy of their table.

Writes are timed where the pipeline's own steps make them, by what they leave. One process, one connection at a time.
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
from benchmarks.sizes import Sizes
from ingest_assets.composition import Deployment
from ingest_assets.domain.queue.changes import Change
from ingest_assets.domain.queue.jobs import Job, Payload
from ingest_assets.pipeline.ports.processing import Changes

CLAIMED_AT_ONCE = (10, 32)
CLAIMS = 10


@dataclass
class TimedChanges:
    """Adds up what writes take, by what they leave."""

    behind: Changes
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    writes: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def write_all(self, changes: Sequence[Change], *, reported: bool) -> list[Payload]:
        begun = time.perf_counter()
        try:
            return self.behind.write_all(changes, reported=reported)
        finally:
            for kind in {_kind(change) for change in changes}:
                self.seconds[kind] += time.perf_counter() - begun
                self.writes[kind] += 1


def _kind(change: Change) -> str:
    """Return the part of the change that takes longest."""
    return next((part for part in ("version", "chunked", "vectors", "parse") if getattr(change, part)), "moves")


def measure(sizes: Sizes) -> Iterator[Figures]:
    for _ in range(sizes.repetitions):
        with fresh_home() as home:
            yield _job_rows(home, sizes.row_documents) | _content_rows(home) | _claims(home)


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
    seconds = _run(deployment, jobs, values, "parsed_markdown", "chunks")
    floors = {"chunk": _copy_seconds(home, "document_chunk_buffer")}
    seconds += _run(deployment, jobs, values, "embeddings")
    floors["vector"] = _copy_seconds(home, "document_vector_buffer")
    seconds += _run(deployment, jobs, values, "finalized_chunks")
    floors["swap"] = _copy_seconds(home, "document_chunks")
    rows = sum(len(made["chunks"]) for made in values)
    return {
        "row_chunk_ms": 1000 * timed.seconds["chunked"] / rows,
        "row_vector_ms": 1000 * timed.seconds["vectors"] / rows,
        "row_swap_ms": 1000 * timed.seconds["version"] / rows,
        "row_event_ms": 1000 * timed.seconds["moves"] / timed.writes["moves"],
        "row_event_floor_ms": 1000 * _copy_seconds(home, "events") / _count(home, "events"),
        "document_s": seconds / len(jobs),
    } | {f"row_{name}_floor_ms": 1000 * floor / rows for name, floor in floors.items()}


def _run(deployment: Deployment, jobs: Sequence[Job], values: Sequence[dict[str, Any]], *assets: str) -> float:
    """Run and store these steps for each job, after what earlier ones made of it, and return how long it took."""
    begun = time.perf_counter()
    for job, made in zip(jobs, values, strict=True):
        for step in (deployment.steps[asset] for asset in assets):
            made[step.asset] = step.run(job, *(made[asset] for asset in step.reads))
            step.store(job, made[step.asset])
    return time.perf_counter() - begun


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
