"""The floor of a backlog: one process, one connection, the same parse, chunks, vectors, rows and indexes.

Without queue, stages, buffers, leases, history or Dagster. A program of its own, so that it starts as cold as a worker:
python -m benchmarks.bare_loop URL BARE_URL, where URL has the documents and BARE_URL is an empty database.
"""

import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from pgvector.psycopg import register_vector

from benchmarks.chunk_rows import Maker, make_bare_table
from benchmarks.processes import resident_megabytes
from ingest_assets.adapters.postgres.database import connected
from ingest_assets.adapters.postgres.migrations import migrate
from ingest_assets.domain.documents.document import Document

DOCUMENTS = """SELECT document_id, user_id, version, filename, media_type, byte_size, content_sha, source
FROM upload_pipeline.documents JOIN upload_pipeline.document_sources USING (document_id, user_id) ORDER BY source"""

INDEXES = """SELECT pg_get_indexdef(indexrelid) AS definition
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
WHERE indrelid = 'upload_pipeline.document_chunks'::regclass
    AND (amname IN ('gin', 'hnsw') OR relname = 'document_chunks_by_bits') ORDER BY amname"""

BUILD_SETTINGS = """
SET maintenance_work_mem = '1GB';
SET max_parallel_maintenance_workers = 2;
ALTER TABLE upload_pipeline.bare SET (parallel_workers = 2);
"""
"""The best that is known: the table's own size says nothing, as its vectors lie beside it."""

FINGERPRINT = """SELECT count(*) AS rows,
    md5(string_agg(md5(chunk_id::text || chunk_sha || full_text::text), '' ORDER BY chunk_id)) AS digest FROM """

WARM_DOCUMENTS = 50


def measure_bare_loop(url: str, bare_url: str) -> dict[str, float]:
    """`copy_s`, `index_s`, `documents`, `growth_mb`, in a fresh process. Raises CalledProcessError."""
    command = [sys.executable, "-m", "benchmarks.bare_loop", url, bare_url]
    figures: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return figures


def main(url: str, bare_url: str) -> None:
    with connected(url) as source:
        documents = [(Path(row.pop("source")), Document(**row)) for row in source.execute(DOCUMENTS).fetchall()]
        indexes = [_on_bare_table(row["definition"]) for row in source.execute(INDEXES).fetchall()]
        migrate(bare_url)
        with psycopg.connect(bare_url, autocommit=True) as bare:
            figures = _load(bare, documents) | {"index_s": _build(bare, indexes)}
            _check_equal(source, bare)
    print(json.dumps(figures))


def _load(bare: psycopg.Connection[Any], documents: Sequence[tuple[Path, Document]]) -> dict[str, float]:
    register_vector(bare)
    make_bare_table(bare)
    maker, warm = Maker(), 0.0
    begun = time.perf_counter()
    for number, (path, document) in enumerate(documents):
        maker.copy(bare, document, *maker.make(document, path.read_bytes()))
        if number + 1 == min(WARM_DOCUMENTS, len(documents)):
            warm = resident_megabytes()
    seconds = time.perf_counter() - begun
    return {"documents": len(documents), "copy_s": seconds, "growth_mb": resident_megabytes() - warm}


def _build(bare: psycopg.Connection[Any], indexes: Sequence[str]) -> float:
    bare.execute(BUILD_SETTINGS)
    begun = time.perf_counter()
    for definition in ("ALTER TABLE upload_pipeline.bare ADD PRIMARY KEY (chunk_id)", *indexes):
        bare.execute(definition.encode())
    return time.perf_counter() - begun


def _on_bare_table(definition: str) -> str:
    return re.sub(r"INDEX \S+ ON \S+", "INDEX ON upload_pipeline.bare", definition, count=1)


def _check_equal(source: psycopg.Connection[Any], bare: psycopg.Connection[Any]) -> None:
    """A floor that leaves work out would be none."""
    ours = source.execute((FINGERPRINT + "upload_pipeline.document_chunks").encode()).fetchone()
    floors = bare.execute((FINGERPRINT + "upload_pipeline.bare").encode()).fetchone()
    assert ours is not None
    assert (ours["rows"], ours["digest"]) == floors, "the bare loop made other rows than the pipeline"


if __name__ == "__main__":
    main(*sys.argv[1:])
