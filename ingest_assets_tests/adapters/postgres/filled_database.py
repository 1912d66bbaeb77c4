"""A database as it looks after twenty thousand documents, made in seconds: what the planner is to decide upon."""

from enum import StrEnum
from hashlib import md5
from uuid import UUID

import psycopg

DOCUMENTS = 20_000
CHUNKS = 500
SMALL_TABLES = frozenset(
    {
        *("alerts", "instances", "migrations", "object_store", "paid_services", "pauses"),
        *("readings", "recalls", "totals", "totals_until"),
    }
)

FILL = """
SET search_path = upload_pipeline, public;

INSERT INTO documents (document_id, user_id, filename, media_type, byte_size, content_sha)
SELECT md5('document ' || n)::uuid, md5('user ' || n % 50)::uuid, n || '.md', 'text/markdown', 1000,
    encode(sha256(n::text::bytea), 'hex')
FROM generate_series(1, {documents}) AS n;

INSERT INTO document_sources (user_id, source, document_id)
SELECT user_id, '/documents/' || filename, document_id FROM documents;

INSERT INTO document_sources (user_id, source, document_id, parent_id, depth)
SELECT user_id, 'attachment:' || document_id || '/a.pdf', document_id, md5('document ' || n)::uuid, 1
FROM generate_series(1, {documents}) AS n
JOIN documents ON document_id = md5('document ' || n + 1)::uuid;
INSERT INTO skipped_attachments (document_id, user_id, path, code)
SELECT document_id, user_id, 'noise.bin', 'unsupported' FROM documents;

INSERT INTO upload_jobs (job_id, document_id, user_id, version, stage, state, claimed_by, lease_expires_at,
    next_retry_at, error_code, finished_at, reported_at)
SELECT md5('job ' || n)::uuid, document_id, user_id, 1, CASE state WHEN 'done' THEN 'embedded' ELSE 'queued' END, state,
    CASE state WHEN 'working' THEN 'worker ' || n % 4 END,
    CASE state WHEN 'working' THEN now() + interval '1 minute' END,
    CASE state WHEN 'retryable' THEN now() + interval '1 minute' END,
    CASE WHEN state IN ('retryable', 'deadletter') THEN 'corrupt' END,
    CASE state WHEN 'done' THEN now() - n * interval '1 second' END,
    CASE WHEN n % 20 > 0 THEN now() END
FROM generate_series(1, {documents}) AS n
JOIN documents ON document_id = md5('document ' || n)::uuid
CROSS JOIN LATERAL (SELECT CASE WHEN n % 100 < 4 THEN
    ('{{queued,working,retryable,deadletter}}'::text[])[n % 100 + 1] ELSE '{most}' END) AS chosen (state);

INSERT INTO events (document_id, job_id, user_id, version, stage, state, actor)
SELECT document_id, job_id, user_id, 1, 'parsing', 'working', 'worker'
FROM upload_jobs, generate_series(1, 5);

INSERT INTO document_chunks (chunk_id, document_id, user_id, chunker_name, chunker_version, chunk_ord, title,
    heading_path, start_offset, end_offset, text, chunk_sha, embed_model, embed_version, vector_dim, embedding,
    full_text)
SELECT md5('chunk ' || n)::uuid, document_id, user_id, 'markdown', '1', 0, 'title', '{{}}', 0, 10,
    repeat('words of document ' || n || '. ', 20), encode(sha256(n::text::bytea), 'hex'), 'model', '1', 1536,
    (SELECT array_agg(sin(n * i)) FROM generate_series(1, 1536) AS i)::vector,
    to_tsvector('english', 'words of document ' || n)
FROM generate_series(1, {chunks}) AS n
JOIN documents ON document_id = md5('document ' || n)::uuid;

INSERT INTO document_chunk_buffer
SELECT document_id, chunk_ord, chunk_id, user_id, chunker_name, chunker_version, title, heading_path, page,
    start_offset, end_offset, text, chunk_sha
FROM document_chunks;
INSERT INTO document_vector_buffer
SELECT document_id, chunk_sha, embed_model, embed_version, user_id, vector_dim, embedding FROM document_chunks;

INSERT INTO paid_calls (service, user_id, document_id, outcome, estimated_micro_usd, expires_at, settled_at, request_id)
SELECT 'openai', user_id, document_id, 'succeeded', 10, now(), now(), document_id FROM documents;
INSERT INTO spending (budget, subject, day, micro_usd) SELECT 'document', document_id, 'epoch', 10 FROM documents;
INSERT INTO parse_jobs (document_id, content_sha, parser_name, parser_version, user_id, callback_secret, remote_id)
SELECT document_id, content_sha, 'llamaparse', '1', user_id, document_id::text, content_sha FROM documents;
UPDATE parse_jobs SET request_id = parse_jobs.document_id, bill_due_at = now() + n * interval '1 hour'
FROM (SELECT document_id, row_number() OVER () AS n FROM documents) AS numbered
WHERE parse_jobs.document_id = numbered.document_id;
INSERT INTO remote_leftovers (request_id, provider, remote_id, asked_at, due_at)
SELECT md5('leftover ' || n)::uuid, 'llamacloud', n, now(), now() + n * interval '1 hour'
FROM generate_series(1, {documents}) AS n;
INSERT INTO webhook_log (service, document_id, body) SELECT 'llamaparse', document_id, 'x' FROM documents;
INSERT INTO idempotency_keys (user_id, key_sha, request_sha)
SELECT user_id, content_sha, content_sha FROM documents;
INSERT INTO locks (name) SELECT 'intake ' || n FROM generate_series(1, {documents}) AS n;
INSERT INTO deleted_documents (document_id, user_id, deleted_at, erased_at, unlisted_at)
SELECT md5('deleted ' || n)::uuid, md5('user ' || n % 50)::uuid, now() - interval '2 days',
    CASE WHEN n % 100 > 0 THEN now() END, CASE WHEN n % 100 > 0 THEN now() END
FROM generate_series(1, {documents}) AS n;
INSERT INTO user_keys (user_id, key_id, wrapped_key)
SELECT md5('user with a key ' || n)::uuid, md5('key ' || n)::uuid, 'x' FROM generate_series(1, {documents}) AS n;
"""

WITHOUT_AUTOVACUUM = """DO $$
DECLARE
    item regclass;
BEGIN
    FOR item IN SELECT oid FROM pg_class WHERE relnamespace = 'upload_pipeline'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = false)', item);
    END LOOP;
END $$"""


class Statistics(StrEnum):
    """What the planner knows of the tables: autovacuum comes when it comes, and a restored database has none."""

    NONE = "none"
    OF_EMPTY_TABLES = "of empty tables"
    FRESH = "fresh"


def keep_from_autovacuum(url: str) -> None:
    """Leave the tables the statistics that they have."""
    with psycopg.connect(url) as connection:
        connection.execute(WITHOUT_AUTOVACUUM)


def fill(url: str, most: str, statistics: Statistics = Statistics.FRESH) -> None:
    """Fill the tables; they keep these statistics.

    Args:
        url: The database.
        most: The state of all but 4 % of the jobs; each of the other states has 1 %.
        statistics: What the planner knows afterwards.
    """
    keep_from_autovacuum(url)
    with psycopg.connect(url, autocommit=True) as connection:
        if statistics is Statistics.OF_EMPTY_TABLES:
            connection.execute("VACUUM ANALYZE")
        connection.execute(FILL.format(documents=DOCUMENTS, chunks=CHUNKS, most=most).encode())
        if statistics is Statistics.FRESH:
            connection.execute("ANALYZE")


def uuid_of(name: str) -> UUID:
    """The id that SQL's md5(name)::uuid gives."""
    return UUID(md5(name.encode(), usedforsecurity=False).hexdigest())
