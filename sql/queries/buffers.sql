-- buffered_chunks
-- Return the document's buffered chunks, in order.
SELECT chunk_id, chunk_ord, text, start_offset, end_offset, heading_path, page, chunk_sha, title, chunker_name, chunker_version
FROM upload_pipeline.document_chunk_buffer
WHERE document_id = %(document_id)s
ORDER BY chunk_ord;

-- reuse_vectors
-- Buffer the model's vectors that the user has already paid for; return the hashes of chunks that have one, or one row
-- without any. Return no row if the claim is lost. Like a stage move, this does not wait for the disk.
WITH held AS (
    SELECT
    FROM upload_pipeline.upload_jobs
    WHERE job_id = %(job_id)s AND claimed_by = %(claim)s AND fence = %(fence)s AND state = 'working'
    FOR UPDATE
), reused AS (
    INSERT INTO upload_pipeline.document_vector_buffer (
        document_id, chunk_sha, embed_model, embed_version, user_id, vector_dim, embedding
    )
    SELECT DISTINCT ON (known.chunk_sha) %(document_id)s, known.chunk_sha, known.embed_model, known.embed_version,
        known.user_id, known.vector_dim, known.embedding
    FROM upload_pipeline.document_chunks AS known
    WHERE known.user_id = %(user_id)s AND known.chunk_sha = ANY(%(chunk_shas)s)
        -- No index takes this condition: without statistics, one that reads all of the user's chunks would look better.
        AND (known.embed_model, known.embed_version) IS NOT DISTINCT FROM (%(embed_model)s, %(embed_version)s)
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

-- committed_chunks
-- Return the document's committed chunks, in order.
SELECT chunk_id, chunk_ord, text, start_offset, end_offset, heading_path, page, chunk_sha, title
FROM upload_pipeline.document_chunks
WHERE document_id = %(document_id)s
ORDER BY chunk_ord;

-- present_vectors
-- Return the hashes of the document's chunks that have a vector of this model, buffered or committed.
SELECT chunk_sha
FROM upload_pipeline.document_vector_buffer
WHERE document_id = %(document_id)s AND embed_model = %(embed_model)s AND embed_version = %(embed_version)s
UNION
SELECT chunk_sha
FROM upload_pipeline.document_chunks
WHERE document_id = %(document_id)s AND embed_model = %(embed_model)s AND embed_version = %(embed_version)s;
