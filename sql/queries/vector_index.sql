-- vector_indexes
-- Return the HNSW indexes of all models and whether each is whole; an interrupted build or drop leaves one that is not, or
-- one over an expression that keeps statistics.
SELECT relname AS name, indisvalid AND (indkey[0] <> 0 OR coalesce(attstattarget, -1) = 0) AS whole
FROM pg_index
JOIN pg_class ON pg_class.oid = indexrelid
JOIN pg_attribute ON attrelid = indexrelid AND attnum = 1
WHERE indrelid = 'upload_pipeline.document_chunks'::regclass AND relname LIKE 'document\_chunks\_nearest\_%%';

-- vector_counts
-- Count a model's vectors, and those of the user who has most.
SELECT coalesce(sum(vectors), 0)::bigint AS rows, coalesce(max(vectors), 0) AS most
FROM (
    SELECT count(*) AS vectors
    FROM upload_pipeline.document_chunks
    WHERE embed_model = %(embed_model)s AND embed_version = %(embed_version)s
    GROUP BY user_id
) AS users;

-- load_ahead
-- Estimate how many chunks the queue will bring, from a sample of the searchable documents, and return whether any
-- worker is working on them.
SELECT
    (SELECT count(*)
     FROM upload_pipeline.upload_jobs
     WHERE state IN ('queued', 'retryable') AND (next_retry_at IS NULL OR next_retry_at <= now()))
    + (SELECT count(*) FROM upload_pipeline.upload_jobs WHERE state = 'working') AS documents,
    (SELECT coalesce(avg(chunks), 0)::float
     FROM (SELECT (SELECT count(*) FROM upload_pipeline.document_chunks AS chunk
                   WHERE chunk.document_id = document.document_id) AS chunks
           FROM upload_pipeline.documents AS document
           WHERE live_version IS NOT NULL
           LIMIT 100) AS sample) AS chunks_per_document,
    EXISTS (SELECT FROM upload_pipeline.upload_jobs WHERE state = 'working' AND lease_expires_at > now()) AS loading;

-- embedding_models
-- Return the models that have vectors, found by hops from one to the next.
WITH RECURSIVE models AS (
    (SELECT embed_model AS name, embed_version AS version
     FROM upload_pipeline.document_chunks
     ORDER BY embed_model, embed_version
     LIMIT 1)
    UNION ALL
    SELECT next.name, next.version
    FROM models
    CROSS JOIN LATERAL (
        SELECT embed_model AS name, embed_version AS version
        FROM upload_pipeline.document_chunks
        WHERE (embed_model, embed_version) > (models.name, models.version)
        ORDER BY embed_model, embed_version
        LIMIT 1
    ) AS next
)
SELECT name, version FROM models;

-- build_bits_index
-- Build the index of one model's vectors over their bits; neither readers nor writers wait for it. Behind a pooler,
-- it gets no settings, so that it names the schema of pgvector itself.
CREATE INDEX CONCURRENTLY {name} ON upload_pipeline.document_chunks USING hnsw (bits {vectors}.bit_hamming_ops)
WHERE embed_model = {embed_model} AND embed_version = {embed_version};

-- build_halfvec_index
-- Build the index of one model's vectors at half precision; neither readers nor writers wait for it.
CREATE INDEX CONCURRENTLY {name} ON upload_pipeline.document_chunks
USING hnsw ((embedding::{vectors}.halfvec(1536)) {vectors}.halfvec_cosine_ops)
WHERE embed_model = {embed_model} AND embed_version = {embed_version};

-- keep_no_statistics
-- Keep statistics of an index from copying users' vectors.
ALTER INDEX upload_pipeline.{name} ALTER COLUMN 1 SET STATISTICS 0;

-- drop_vector_index
-- Drop an index, whole or not; neither readers nor writers wait for it.
DROP INDEX CONCURRENTLY IF EXISTS upload_pipeline.{name};

-- build_memory
-- Return the memory for a build, at least the server's: a graph that outgrows it is built at a fifth of the speed.
SELECT greatest(setting::bigint, %(kilobytes)s) || 'kB' AS setting
FROM pg_settings
WHERE name = 'maintenance_work_mem';

-- draw_vectors
-- Draw stored vectors of a model at random, out of pages that hold about a hundred times as many.
WITH drawn AS (
    SELECT chunk_id, user_id, embedding
    FROM upload_pipeline.document_chunks TABLESAMPLE SYSTEM ((
        SELECT least(100, 10000.0 * %(count)s / greatest(reltuples, 1))
        FROM pg_class
        WHERE oid = 'upload_pipeline.document_chunks'::regclass))
    WHERE embed_model = %(embed_model)s AND embed_version = %(embed_version)s
    ORDER BY random()
    LIMIT %(count)s
)
SELECT chunk_id, user_id, embedding AS vector,
    (SELECT count(*) FROM upload_pipeline.document_chunks AS own
     WHERE own.embed_model = %(embed_model)s AND own.embed_version = %(embed_version)s
        AND own.user_id = drawn.user_id) AS rows
FROM drawn;

-- compare_with_all
-- Count a chunk's nearest other chunks by comparing all of its user's, and how many of the found ones are as near.
WITH nearest AS (
    SELECT embedding <=> %(vector)s AS distance
    FROM upload_pipeline.document_chunks
    WHERE embed_model = %(embed_model)s AND embed_version = %(embed_version)s AND user_id = %(user_id)s
        AND chunk_id <> %(chunk_id)s
    ORDER BY distance
    LIMIT %(limit)s
)
SELECT count(*) AS expected,
    (SELECT count(*) FROM upload_pipeline.document_chunks
     WHERE chunk_id = ANY(%(found)s) AND chunk_id <> %(chunk_id)s AND user_id = %(user_id)s
        AND embed_model = %(embed_model)s AND embed_version = %(embed_version)s
        AND embedding <=> %(vector)s <= (SELECT max(distance) FROM nearest)) AS found
FROM nearest;
