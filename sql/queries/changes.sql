-- hold_jobs
-- Lock those of these jobs that their claims hold, until the transaction ends. All workers lock in the same order, and
-- the commits of one document follow each other. Large documents take long, and hold up nobody but themselves.
WITH held AS MATERIALIZED (
    SELECT job.job_id, job.document_id
    FROM upload_pipeline.upload_jobs AS job
    JOIN unnest(%(job_ids)s::uuid[], %(claims)s::text[], %(fences)s::bigint[]) AS wanted (job_id, claim, fence)
        USING (job_id, fence)
    WHERE job.claimed_by = wanted.claim AND job.state = 'working'
    ORDER BY job.job_id
    FOR UPDATE OF job
)
SELECT held.job_id, document.document_id, document.live_version
FROM held
JOIN upload_pipeline.documents AS document USING (document_id)
CROSS JOIN set_config('statement_timeout', '1h', true) AS limited
ORDER BY held.job_id;

-- move_jobs
-- Move held jobs through their stages, with an event for each move at the time when it happened. Each payload gets the
-- seconds since the event before. A job that is done leaves its claim, and its version is live.
WITH target AS (
    -- Moves that are not `lasting` do not wait for the disk: what a crashed server forgets is done again for free.
    SELECT *
    FROM jsonb_to_recordset(%(targets)s) AS target (
        job_id uuid, claim text, fence bigint, sources text[], stage text, is_done boolean, correlation_id text, parsed_content_sha text,
        parsed_sha text, parser_name text, parser_version text, page_starts integer[], warnings jsonb
    )
    CROSS JOIN set_config(
        'synchronous_commit', CASE WHEN %(lasting)s THEN current_setting('synchronous_commit') ELSE 'off' END, true)
), move AS (
    SELECT *, occurred_at - lag(occurred_at) OVER (PARTITION BY job_id ORDER BY position) AS since_last
    FROM (
        SELECT move.*, present.time - make_interval(secs => move.age) AS occurred_at
        FROM jsonb_to_recordset(%(moves)s) AS move (
            job_id uuid, position integer, stage text, age double precision, payload jsonb
        )
        CROSS JOIN (SELECT clock_timestamp() AS time OFFSET 0) AS present
    ) AS timed
), moved AS (
    UPDATE upload_pipeline.upload_jobs AS job
    SET stage = target.stage, begun = true,
        state = CASE WHEN target.is_done THEN 'done' ELSE job.state END,
        claimed_by = CASE WHEN NOT target.is_done THEN job.claimed_by END,
        lease_expires_at = CASE WHEN NOT target.is_done THEN job.lease_expires_at END,
        error_code = CASE WHEN NOT target.is_done THEN job.error_code END,
        error_message = CASE WHEN NOT target.is_done THEN job.error_message END,
        error_hint = CASE WHEN NOT target.is_done THEN job.error_hint END,
        crashes = CASE WHEN target.is_done THEN 0 ELSE job.crashes END,
        finished_at = CASE WHEN target.is_done THEN now() END,
        reported_at = CASE WHEN NOT target.is_done THEN job.reported_at WHEN %(reported)s THEN now() END
    FROM target
    WHERE job.job_id = target.job_id AND job.claimed_by = target.claim AND job.fence = target.fence
        AND job.state = 'working' AND job.stage = ANY(target.sources)
    RETURNING job.job_id, job.document_id, job.user_id, job.version, job.stage, job.state, target.claim,
        target.correlation_id
), parsed_or_live AS (
    UPDATE upload_pipeline.documents AS document
    SET parsed_content_sha = COALESCE(target.parsed_content_sha, document.parsed_content_sha),
        parsed_sha = COALESCE(target.parsed_sha, document.parsed_sha),
        parser_name = COALESCE(target.parser_name, document.parser_name),
        parser_version = COALESCE(target.parser_version, document.parser_version),
        page_starts = COALESCE(target.page_starts, document.page_starts),
        warnings = COALESCE(target.warnings, document.warnings),
        live_version = CASE WHEN target.is_done THEN document.version ELSE document.live_version END,
        updated_at = now()
    FROM moved
    JOIN target USING (job_id)
    WHERE document.document_id = moved.document_id AND (target.is_done OR target.parsed_sha IS NOT NULL)
)
INSERT INTO upload_pipeline.events (
    occurred_at, document_id, job_id, user_id, version, stage, state, actor, correlation_id, payload)
SELECT move.occurred_at, moved.document_id, moved.job_id, moved.user_id, moved.version, move.stage,
    CASE move.stage WHEN moved.stage THEN moved.state ELSE 'working' END, moved.claim,
    moved.correlation_id,
    CASE WHEN move.payload = '{}' THEN move.payload ELSE move.payload || jsonb_build_object('seconds', round(
        extract(epoch FROM COALESCE(move.since_last, move.occurred_at - previous.occurred_at)), 3)) END
FROM moved
JOIN move USING (job_id)
LEFT JOIN LATERAL (
    SELECT occurred_at
    FROM upload_pipeline.events
    WHERE document_id = moved.document_id AND move.since_last IS NULL
    ORDER BY event_id DESC
    LIMIT 1
) AS previous ON true
ORDER BY moved.job_id, move.position
RETURNING job_id, payload;

-- clear_chunk_buffer
-- Remove the chunks that an earlier attempt buffered.
DELETE FROM upload_pipeline.document_chunk_buffer WHERE document_id = %(document_id)s;

-- buffer_chunks
-- Buffer chunks, given as a JSON array of rows, because Postgres takes no COPY with row-level security.
INSERT INTO upload_pipeline.document_chunk_buffer
SELECT * FROM json_populate_recordset(NULL::upload_pipeline.document_chunk_buffer, %(chunks)s);

-- buffer_vectors
-- Buffer one batch of vectors, unless it is there already: the answer to an earlier try may have been lost.
INSERT INTO upload_pipeline.document_vector_buffer (
    document_id, chunk_sha, embed_model, embed_version, user_id, vector_dim, embedding
)
SELECT %(document_id)s, chunk_sha, %(embed_model)s, %(embed_version)s, %(user_id)s, vector_dims(embedding), embedding
FROM unnest(%(chunk_shas)s::text[], %(vectors)b::vector[]) AS batch (chunk_sha, embedding)
ON CONFLICT DO NOTHING;

-- keep_job
-- Renew the lease of a held job at the end of a long write, which locks its row: meanwhile its holder could not.
UPDATE upload_pipeline.upload_jobs
SET lease_expires_at = GREATEST(lease_expires_at, clock_timestamp() + %(lease)s)
WHERE job_id = %(job_id)s AND claimed_by = %(claim)s AND state = 'working';

-- remove_replaced_chunks
-- Remove the committed chunks that the next versions of these documents no longer have. A document without buffered or
-- given chunks keeps all of its committed ones.
WITH next AS (
    SELECT document_id, chunk_id
    FROM unnest(%(next_documents)s::uuid[], %(next_chunks)s::uuid[]) AS fresh (document_id, chunk_id)
    UNION ALL
    SELECT document_id, chunk_id
    FROM upload_pipeline.document_chunk_buffer
    WHERE document_id = ANY(%(buffered)s)
)
DELETE FROM upload_pipeline.document_chunks AS old
WHERE old.document_id = ANY(%(document_ids)s)
    AND EXISTS (SELECT FROM next WHERE next.document_id = old.document_id)
    AND NOT EXISTS (SELECT FROM next WHERE next.chunk_id = old.chunk_id);

-- commit_chunks
-- Make the next versions of these documents live and empty their buffers. Chunks come from the worker or, for
-- `buffered` documents, from the buffer; vectors come from both. Return how many chunks each document then has.
WITH next AS MATERIALIZED (
    SELECT * FROM json_populate_recordset(NULL::upload_pipeline.document_chunk_buffer, %(chunks)s)
    UNION ALL
    SELECT * FROM upload_pipeline.document_chunk_buffer WHERE document_id = ANY(%(buffered)s)
), vector AS NOT MATERIALIZED (
    SELECT document_id, chunk_sha, embedding
    FROM upload_pipeline.document_vector_buffer
    WHERE document_id = ANY(%(document_ids)s) AND embed_model = %(embed_model)s AND embed_version = %(embed_version)s
    UNION ALL
    SELECT document_id, chunk_sha, embedding
    FROM unnest(%(fresh_documents)s::uuid[], %(fresh_shas)s::text[], %(fresh_vectors)b::vector[])
        AS fresh (document_id, chunk_sha, embedding)
), committed AS (
    INSERT INTO upload_pipeline.document_chunks AS old (
        chunk_id, document_id, user_id, chunker_name, chunker_version, chunk_ord, title, heading_path, page,
        start_offset, end_offset, text, chunk_sha, embed_model, embed_version, vector_dim, embedding, full_text
    )
    SELECT chunk_id, document_id, user_id, chunker_name, chunker_version, chunk_ord, title, heading_path, page,
        start_offset, end_offset, text, chunk_sha, %(embed_model)s, %(embed_version)s, vector_dims(embedding), embedding,
        setweight(to_tsvector('english', title), 'B')
            || setweight(to_tsvector('english', array_to_string(heading_path, ' ')), 'B')
            || setweight(to_tsvector('english', text), 'D')
    FROM next
    JOIN vector USING (document_id, chunk_sha)
    -- Rows that stay keep their place in the indexes.
    ON CONFLICT (user_id, chunk_id) DO UPDATE
    SET page = excluded.page, start_offset = excluded.start_offset, end_offset = excluded.end_offset,
        embed_model = excluded.embed_model, embed_version = excluded.embed_version, embedding = excluded.embedding
    WHERE (old.page, old.start_offset, old.end_offset, old.embed_model, old.embed_version)
        IS DISTINCT FROM
        (excluded.page, excluded.start_offset, excluded.end_offset, excluded.embed_model, excluded.embed_version)
), unbuffered AS (
    DELETE FROM upload_pipeline.document_chunk_buffer WHERE document_id = ANY(%(document_ids)s)
), unbuffered_vectors AS (
    DELETE FROM upload_pipeline.document_vector_buffer WHERE document_id = ANY(%(document_ids)s)
)
SELECT document_id,
    CASE WHEN EXISTS (SELECT FROM next WHERE next.document_id = document.document_id) THEN (
        SELECT count(*)
        FROM next
        JOIN vector USING (document_id, chunk_sha)
        WHERE next.document_id = document.document_id
    ) ELSE (
        SELECT count(*) FROM upload_pipeline.document_chunks AS kept WHERE kept.document_id = document.document_id
    ) END AS chunks
FROM unnest(%(document_ids)s::uuid[]) AS document (document_id);
