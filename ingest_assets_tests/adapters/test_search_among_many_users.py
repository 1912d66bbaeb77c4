"""One user's search among a thousand: what it reads of a hundred thousand chunks, by Postgres's own count."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pgvector.psycopg import register_vector
from psycopg import Connection

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.postgres.queries import query
from ingest_assets_tests.adapters.filled_database import uuid_of
from ingest_assets_tests.conftest import TEMPLATE, _database
from ingest_assets_tests.stored_vectors import clustered

CHUNKS, USERS = 100_000, 1000
OWN = CHUNKS // USERS

FILL = """
ALTER TABLE upload_pipeline.document_chunks ALTER COLUMN embedding SET STORAGE EXTENDED;
INSERT INTO upload_pipeline.documents (document_id, user_id, filename, media_type, byte_size, content_sha)
SELECT md5('document ' || n)::uuid, md5('user ' || n)::uuid, n || '.md', 'text/markdown', 1000,
    encode(sha256(n::text::bytea), 'hex')
FROM generate_series(0, {users} - 1) AS n;
INSERT INTO upload_pipeline.document_chunks (chunk_id, document_id, user_id, chunker_name, chunker_version, chunk_ord,
    title, heading_path, start_offset, end_offset, text, chunk_sha, embed_model, embed_version, vector_dim, embedding,
    full_text)
SELECT md5('chunk ' || n)::uuid, md5('document ' || n % {users})::uuid, md5('user ' || n % {users})::uuid, 'markdown',
    '1', n / {users}, 'title', '{{}}', 0, 10, 'text', encode(sha256(n::text::bytea), 'hex'), 'model', '1', 1536,
    array_fill((n % 7 + 1)::real, ARRAY[1536])::vector,
    to_tsvector('english', 'policy ' || CASE WHEN n % 3 = 0 THEN 'windscreen' ELSE 'water' END || ' number ' || n)
FROM generate_series(0, {chunks} - 1) AS n;
"""

MATCHING = "SELECT prosrc FROM pg_proc WHERE oid = 'upload_pipeline.matching_chunks'::regproc"

VALUES: dict[str, Any] = {
    "user_id": uuid_of("user 7"),
    "embed_model": "model",
    "embed_version": "1",
    "vector": clustered(1)[0],
    "candidates": 200,
    "limit": 50,
    "most": 2000,
    "exact_rows": 50_000,
    "index": "upload_pipeline.documents_by_content",
    "query": "the water damage of policy 77",
    "common_words": "policy",
    "sampled": 200,
    "chunk_ids": [uuid_of(f"chunk {n}") for n in (7, 1007, 2007)],
}


@pytest.fixture(scope="module")
def connection(postgres: EmbeddedPostgres) -> Iterator[Connection[Any]]:
    """As the reader in the name of the user."""
    for url in _database(postgres, TEMPLATE):
        with psycopg.connect(url, autocommit=True) as made:
            made.execute("SET session_replication_role = replica")
            made.execute(FILL.format(chunks=CHUNKS, users=USERS).encode())
            made.execute("VACUUM (ANALYZE) upload_pipeline.document_chunks, upload_pipeline.documents")
            register_vector(made)
            made.execute("SELECT set_config('app.user_id', %s, false)", [str(VALUES["user_id"])])
            yield made


def scans(connection: Connection[Any], statement: bytes, values: dict[str, Any]) -> list[dict[str, Any]]:
    """Each step that reads chunks or documents, as it went."""
    row = connection.execute(b"EXPLAIN (ANALYZE, FORMAT JSON) " + statement, values).fetchone()
    assert row is not None
    return [node for node in nodes(row[0][0]["Plan"]) if node.get("Relation Name") in ("document_chunks", "documents")]


def nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", []):
        yield from nodes(child)


def read(scan: dict[str, Any]) -> float:
    """Rows that were looked at, wanted or not."""
    dropped = scan.get("Rows Removed by Filter", 0) + scan.get("Rows Removed by Index Recheck", 0)
    return float((scan["Actual Rows"] + dropped) * scan["Actual Loops"])


def assert_reads_only_its_own(found: list[dict[str, Any]]) -> None:
    assert {scan["Relation Name"] for scan in found} >= {"document_chunks"}
    assert {scan["Node Type"] for scan in found} <= {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}
    assert [read(scan) for scan in found if read(scan) > OWN] == []


@pytest.mark.parametrize(
    "name", ["nearest_of_all_bits", "nearest_of_all_vectors", "count_chunks", "needs_index", "query_words", "hits"]
)
def test_a_search_reads_its_users_rows_by_an_index_and_no_others(connection: Connection[Any], name: str) -> None:
    connection.execute("SET ROLE ingest_reader")
    found = scans(connection, query(name), VALUES)
    assert_reads_only_its_own(found)


@pytest.mark.parametrize("words", ["'windscreen'", "'water' | 'number'", "'77'", "'nowhere'"])
def test_matching_words_reads_its_users_rows_by_an_index_and_no_others(connection: Connection[Any], words: str) -> None:
    connection.execute("RESET ROLE")
    row = connection.execute(MATCHING).fetchone()
    assert row is not None
    [statement] = re.findall(r"EXECUTE '(.*?)'\s+USING", row[0], re.DOTALL)
    values = {"1": VALUES["user_id"], "2": words, "3": words, "4": 2000, "5": 50}
    kinds = {"1": "::uuid", "2": "::tsquery", "3": "::tsquery", "4": "", "5": ""}
    numbered = re.sub(r"\$(\d)", lambda found: f"%({found[1]})s{kinds[found[1]]}", statement)
    connection.execute("SET ROLE ingest_owner")
    assert_reads_only_its_own(scans(connection, numbered.encode(), values))
