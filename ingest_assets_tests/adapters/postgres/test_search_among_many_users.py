"""One user's search among a thousand: what it reads of a hundred thousand chunks, by Postgres's own count."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from pgvector.psycopg import register_vector
from psycopg import Connection

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.postgres.queries import query
from ingest_assets_tests.adapters.postgres.filled_database import keep_from_autovacuum, uuid_of
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

MATCHING = """SELECT count(*)
FROM upload_pipeline.matching_chunks(%(rare)s::text[], %(frequent)s::text[], %(ranked)s::tsquery, 2000, 2000)"""

READ = """SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)
FROM pg_stat_xact_all_tables WHERE relid = 'upload_pipeline.document_chunks'::regclass"""

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
    "unsampled": 50,
    "sampled": 200,
    "documents": None,
    "ranked": "'policy'",
    "depth": 50,
    "chunk_ids": [uuid_of(f"chunk {n}") for n in (7, 1007, 2007)],
}


@pytest.fixture(scope="module")
def connection(postgres: EmbeddedPostgres) -> Iterator[Connection[Any]]:
    """Name the user in whose name the reader reads."""
    for url in _database(postgres, TEMPLATE):
        keep_from_autovacuum(url)
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


def rows_read(connection: Connection[Any]) -> int:
    """Return how many chunks this session has read that the server's statistics do not hold yet."""
    row = connection.execute(READ).fetchone()
    assert row is not None
    return int(row[0])


def assert_reads_only_its_own(found: list[dict[str, Any]]) -> None:
    assert {scan["Relation Name"] for scan in found} >= {"document_chunks"}
    assert {scan["Node Type"] for scan in found} <= {"Index Scan", "Index Only Scan", "Bitmap Heap Scan"}
    assert [read(scan) for scan in found if read(scan) > OWN] == []


@pytest.mark.parametrize(
    "name", ["nearest_of_all_bits", "nearest_of_all_vectors", "needs_index", "query_words", "hits"]
)
def test_a_search_reads_its_users_rows_by_an_index_and_no_others(connection: Connection[Any], name: str) -> None:
    with connection.transaction():
        connection.execute(query("become_reader"), {"user_id": str(VALUES["user_id"])})
        connection.execute(query("keep_to_indexes"))
        assert_reads_only_its_own(scans(connection, query(name), VALUES))


@pytest.mark.parametrize(
    "name", ["nearest_of_all_bits", "nearest_of_all_vectors", "nearest_in_documents", "matching_in_documents"]
)
def test_so_does_a_search_in_some_documents_even_if_they_are_others(connection: Connection[Any], name: str) -> None:
    foreign = connection.execute("SELECT document_id FROM upload_pipeline.documents").fetchall()
    names = VALUES | {"documents": [document_id for (document_id,) in foreign]}
    with connection.transaction():
        connection.execute(query("become_reader"), {"user_id": str(VALUES["user_id"])})
        connection.execute(query("keep_to_indexes"))
        own = {row[0] for row in connection.execute(b"SELECT chunk_id FROM upload_pipeline.document_chunks").fetchall()}
        found = {row[0] for row in connection.execute(query(name), names).fetchall()}
    assert found <= own
    assert found or name == "matching_in_documents"


@pytest.mark.parametrize(
    ("rare", "frequent", "matches"),
    [
        (["windscreen"], [], 33),
        (["water", "number"], [], OWN),
        (["77007"], [], 1),
        (["77007"], ["polici", "water"], 68),
        ([], ["polici", "windscreen"], 33),
        ([], ["windscreen", "water"], 0),
        (["nowhere"], ["nowhere"], 0),
        ([], [], 0),
    ],
)
def test_matching_words_reads_the_rows_that_match_and_no_others(
    connection: Connection[Any], rare: list[str], frequent: list[str], matches: int
) -> None:
    names = {"rare": rare, "frequent": frequent, "ranked": " | ".join([*rare, *frequent])}
    with connection.transaction():
        before = rows_read(connection)
        connection.execute("SET LOCAL ROLE ingest_reader")
        assert connection.execute(MATCHING, names).fetchone() == (matches,)
        connection.execute("RESET ROLE")
        assert rows_read(connection) - before == matches
