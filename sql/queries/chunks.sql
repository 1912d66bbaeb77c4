-- clear_chunk_buffer
-- What an earlier attempt buffered.
DELETE FROM upload_pipeline.document_chunk_buffer WHERE document_id = %(document_id)s;

-- buffer_chunks
-- The document's chunks, as a JSON array: where row-level security is on, Postgres takes no COPY.
INSERT INTO upload_pipeline.document_chunk_buffer (
    document_id, chunk_ord, chunk_id, user_id, chunker_name, chunker_version, title, heading_path, page,
    start_offset, end_offset, text, chunk_sha
)
SELECT %(document_id)s, chunk_ord, chunk_id, %(user_id)s, %(chunker_name)s, %(chunker_version)s, %(title)s,
    heading_path, page, start_offset, end_offset, text, chunk_sha
FROM json_to_recordset(%(chunks)s) AS chunk (
    chunk_ord integer, chunk_id uuid, heading_path text[], page integer, start_offset integer, end_offset integer,
    text text, chunk_sha text
);

-- buffered_chunks
-- The buffered chunks, in order.
SELECT chunk_id, chunk_ord, text, start_offset, end_offset, heading_path, page, chunk_sha, title
FROM upload_pipeline.document_chunk_buffer
WHERE document_id = %(document_id)s
ORDER BY chunk_ord;

-- reuse_vectors
-- Buffers the vectors of this model that the user has already paid for; the chunk hashes that have one buffered, or one
-- row without any. No row where the claim is lost. Like a stage move it does not wait for the disk.
WITH held AS (
    SELECT
    FROM upload_pipeline.upload_jobs
    WHERE job_id = %(job_id)s AND claimed_by = %(claim)s AND state = 'working' AND stage = %(stage)s
    FOR UPDATE
), reused AS (
    INSERT INTO upload_pipeline.document_vector_buffer (
        document_id, chunk_sha, embed_model, embed_version, user_id, vector_dim, embedding
    )
    SELECT DISTINCT ON (known.chunk_sha) %(document_id)s, known.chunk_sha, known.embed_model, known.embed_version,
        known.user_id, known.vector_dim, known.embedding
    FROM upload_pipeline.document_chunks AS known
    WHERE known.user_id = %(user_id)s AND known.chunk_sha = ANY(%(chunk_shas)s)
        AND known.embed_model = %(embed_model)s AND known.embed_version = %(embed_version)s
        AND EXISTS (SELECT FROM held)
    ORDER BY known.chunk_sha, known.chunk_id
    ON CONFLICT DO NOTHING
    RETURNING chunk_sha
), buffered AS (
    SELECT chunk_sha FROM reused
    UNION
    SELECT chunk_sha
    FROM upload_pipeline.document_vector_buffer
    WHERE document_id = %(document_id)s AND embed_model = %(embed_model)s AND embed_version = %(embed_version)s
)
SELECT buffered.chunk_sha
FROM held CROSS JOIN set_config('synchronous_commit', 'off', true) LEFT JOIN buffered ON true;

-- buffer_vectors
-- One batch of vectors.
INSERT INTO upload_pipeline.document_vector_buffer (
    document_id, chunk_sha, embed_model, embed_version, user_id, vector_dim, embedding
)
SELECT %(document_id)s, chunk_sha, %(embed_model)s, %(embed_version)s, %(user_id)s, vector_dims(embedding), embedding
FROM unnest(%(chunk_shas)s::text[], %(vectors)b::vector[]) AS batch (chunk_sha, embedding);

-- lock_document
-- One swap of a document at a time, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('document ' || %(document_id)s::text, 0));

-- remove_replaced_chunks
-- The committed chunks that the buffered version no longer has, or has with another model's vector; none where the
-- buffers are empty because their version is committed already.
DELETE FROM upload_pipeline.document_chunks AS old
WHERE old.document_id = %(document_id)s
    AND NOT EXISTS (
        SELECT FROM upload_pipeline.document_chunk_buffer AS new
        WHERE new.document_id = old.document_id AND new.chunk_id = old.chunk_id
            AND old.embed_model = %(embed_model)s AND old.embed_version = %(embed_version)s
    )
    AND EXISTS (SELECT FROM upload_pipeline.document_chunk_buffer AS new WHERE new.document_id = old.document_id);

-- commit_chunks
-- The buffered chunks become the searchable version, each with its vector from the buffer or from the `fresh` ones;
-- rows that stay keep their place in the indexes.
WITH vector AS (
    SELECT chunk_sha, embedding
    FROM upload_pipeline.document_vector_buffer
    WHERE document_id = %(document_id)s AND embed_model = %(embed_model)s AND embed_version = %(embed_version)s
    UNION ALL
    SELECT chunk_sha, embedding
    FROM unnest(%(fresh_shas)s::text[], %(fresh_vectors)b::vector[]) AS fresh (chunk_sha, embedding)
)
INSERT INTO upload_pipeline.document_chunks AS old (
    chunk_id, document_id, user_id, chunker_name, chunker_version, chunk_ord, title, heading_path, page, start_offset,
    end_offset, text, chunk_sha, embed_model, embed_version, vector_dim, embedding, full_text
)
SELECT chunk.chunk_id, chunk.document_id, chunk.user_id, chunk.chunker_name, chunk.chunker_version, chunk.chunk_ord,
    chunk.title, chunk.heading_path, chunk.page, chunk.start_offset, chunk.end_offset, chunk.text, chunk.chunk_sha,
    %(embed_model)s, %(embed_version)s, vector_dims(vector.embedding), vector.embedding,
    setweight(to_tsvector('english', chunk.title), 'B')
        || setweight(to_tsvector('english', array_to_string(chunk.heading_path, ' ')), 'B')
        || setweight(to_tsvector('english', chunk.text), 'D')
FROM upload_pipeline.document_chunk_buffer AS chunk
JOIN vector USING (chunk_sha)
WHERE chunk.document_id = %(document_id)s
ON CONFLICT (chunk_id) DO UPDATE
SET page = excluded.page, start_offset = excluded.start_offset, end_offset = excluded.end_offset
WHERE (old.page, old.start_offset, old.end_offset)
    IS DISTINCT FROM (excluded.page, excluded.start_offset, excluded.end_offset);

-- count_committed
-- How many chunks of the document searches find.
SELECT count(*) FROM upload_pipeline.document_chunks WHERE document_id = %(document_id)s;

-- committed_chunks
-- The committed chunks, in order.
SELECT chunk_id, chunk_ord, text, start_offset, end_offset, heading_path, page, chunk_sha, title
FROM upload_pipeline.document_chunks
WHERE document_id = %(document_id)s
ORDER BY chunk_ord;

-- go_live
-- Searches find this version from now on.
UPDATE upload_pipeline.documents SET live_version = version, updated_at = now() WHERE document_id = %(document_id)s;

-- clear_vector_buffer
-- What the swap has taken over.
DELETE FROM upload_pipeline.document_vector_buffer WHERE document_id = %(document_id)s;

-- present_vectors
-- The chunk hashes of the document that have a vector of this model, buffered or committed.
SELECT chunk_sha
FROM upload_pipeline.document_vector_buffer
WHERE document_id = %(document_id)s AND embed_model = %(embed_model)s AND embed_version = %(embed_version)s
UNION
SELECT chunk_sha
FROM upload_pipeline.document_chunks
WHERE document_id = %(document_id)s AND embed_model = %(embed_model)s AND embed_version = %(embed_version)s;
