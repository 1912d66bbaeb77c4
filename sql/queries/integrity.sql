-- document_without_job
-- Return documents that have no job.
SELECT document_id, count(*) OVER () AS count
FROM upload_pipeline.documents AS document
WHERE NOT EXISTS (SELECT FROM upload_pipeline.upload_jobs AS job WHERE job.document_id = document.document_id)
ORDER BY document_id
LIMIT %(shown)s;

-- job_of_other_version
-- Return documents whose job is not about their newest version.
SELECT document_id, count(*) OVER () AS count
FROM upload_pipeline.documents AS document
JOIN upload_pipeline.upload_jobs AS job USING (document_id)
WHERE job.version <> document.version
ORDER BY document_id
LIMIT %(shown)s;

-- done_but_not_live
-- Return documents whose job is done, although their newest version is not live.
SELECT document_id, count(*) OVER () AS count
FROM upload_pipeline.upload_jobs AS job
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE job.state = 'done' AND document.live_version IS DISTINCT FROM document.version
ORDER BY document_id
LIMIT %(shown)s;

-- lease_long_expired
-- Return documents that a silent worker still holds.
SELECT document_id, count(*) OVER () AS count
FROM upload_pipeline.upload_jobs
WHERE state = 'working' AND lease_expires_at < clock_timestamp() - %(longest_silence)s::interval
ORDER BY document_id
LIMIT %(shown)s;

-- retry_too_far_ahead
-- Return documents whose retry is later than any rule allows.
SELECT document_id, count(*) OVER () AS count
FROM upload_pipeline.upload_jobs
WHERE state = 'retryable' AND next_retry_at > clock_timestamp() + %(farthest_retry)s::interval
ORDER BY document_id
LIMIT %(shown)s;

-- dead_letter_without_reason
-- Return dead letters that lack a code, a message or a hint.
SELECT document_id, count(*) OVER () AS count
FROM upload_pipeline.upload_jobs
WHERE state = 'deadletter' AND '' IN (COALESCE(error_code, ''), COALESCE(error_message, ''), COALESCE(error_hint, ''))
ORDER BY document_id
LIMIT %(shown)s;

-- chunks_not_live
-- Return unfinished documents that have chunks but no live version.
SELECT document_id, count(*) OVER () AS count
FROM upload_pipeline.documents AS document
JOIN upload_pipeline.upload_jobs AS job USING (document_id)
WHERE document.live_version IS NULL AND job.state <> 'done'
    AND EXISTS (SELECT FROM upload_pipeline.document_chunks AS chunk WHERE chunk.document_id = document.document_id)
ORDER BY document_id
LIMIT %(shown)s;

-- version_not_whole
-- Return documents whose chunks are not numbered from 0 without gaps, or are not as many as their last commit told.
SELECT document.document_id, count(*) OVER () AS count
FROM upload_pipeline.documents AS document
CROSS JOIN LATERAL (
    SELECT count(*) AS chunks, max(chunk_ord) + 1 AS highest
    FROM upload_pipeline.document_chunks
    WHERE document_id = document.document_id
) AS present
LEFT JOIN LATERAL (
    SELECT (event.payload ->> 'chunks')::bigint AS chunks
    FROM upload_pipeline.events AS event
    WHERE event.document_id = document.document_id AND event.state = 'done'
    ORDER BY event.event_id DESC
    LIMIT 1
) AS committed ON true
WHERE document.live_version IS NOT NULL
    AND (present.chunks = 0 OR present.chunks <> present.highest OR present.chunks IS DISTINCT FROM committed.chunks)
ORDER BY document.document_id
LIMIT %(shown)s;

-- several_models
-- Return documents with vectors of more than one embedding model.
SELECT document_id, count(*) OVER () AS count
FROM upload_pipeline.document_chunks
GROUP BY document_id
HAVING min((embed_model, embed_version)::text) <> max((embed_model, embed_version)::text)
ORDER BY document_id
LIMIT %(shown)s;

-- vector_not_unit
-- Return documents with vectors that are not of length one, out of a sample.
SELECT document_id, count(*) OVER () AS count
FROM upload_pipeline.document_chunks TABLESAMPLE SYSTEM ((
    SELECT LEAST(100, 100.0 * %(sampled)s / GREATEST(1, reltuples))
    FROM pg_class
    WHERE oid = 'upload_pipeline.document_chunks'::regclass
))
WHERE abs(vector_norm(embedding) - 1) > 0.001
GROUP BY document_id
ORDER BY document_id
LIMIT %(shown)s;

-- buffer_of_done_job
-- Return finished documents that still have something in the buffers.
SELECT document_id, count(*) OVER () AS count
FROM (
    SELECT document_id FROM upload_pipeline.document_chunk_buffer
    UNION
    SELECT document_id FROM upload_pipeline.document_vector_buffer
) AS buffered
JOIN upload_pipeline.upload_jobs AS job USING (document_id)
WHERE job.state = 'done'
ORDER BY document_id
LIMIT %(shown)s;

-- rows_of_other_user
-- Return documents of which another table says that they belong to somebody else.
SELECT document_id, count(*) OVER () AS count
FROM (
    SELECT document_id, user_id FROM upload_pipeline.upload_jobs
    UNION
    SELECT document_id, user_id FROM upload_pipeline.document_sources
    UNION
    SELECT document_id, user_id FROM upload_pipeline.document_chunks
    UNION
    SELECT document_id, user_id FROM upload_pipeline.document_chunk_buffer
    UNION
    SELECT document_id, user_id FROM upload_pipeline.document_vector_buffer
    UNION
    SELECT document_id, user_id FROM upload_pipeline.parse_jobs
) AS told
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE told.user_id <> document.user_id
GROUP BY document_id
ORDER BY document_id
LIMIT %(shown)s;

-- budget_disagrees
-- Count the budgets of which more or less is taken than their calls reserve, cost or may have cost.
SELECT NULL::uuid AS document_id, count(*) AS count
FROM upload_pipeline.taken_by_ledger() AS cost
FULL JOIN upload_pipeline.spending AS taken USING (budget, subject, day)
WHERE COALESCE(cost.micro_usd, 0) <> COALESCE(taken.micro_usd, 0)
HAVING count(*) > 0;

-- illegal_history
-- Return documents with an event that may not follow the one before it: neither is it among the `legal` pairs, nor does
-- it begin a version, nor is it the deletion, which ends the history.
WITH told AS (
    SELECT document_id, event_id, version, stage, state, code = 'deleted' AS deletes, payload <> '{}' AS tells,
        state = 'working' AND (lag(state) OVER history, lag(actor) OVER history)
            IS DISTINCT FROM ('working', actor) AS begins
    FROM upload_pipeline.events
    WINDOW history AS (PARTITION BY document_id ORDER BY event_id)
), paired AS (
    SELECT *, lag(version) OVER history AS last_version, lag(stage) OVER history AS last_stage,
        lag(state) OVER history AS last_state, lag(begins) OVER history AS last_begins,
        lag(tells) OVER history AS last_tells, lag(deletes) OVER history AS last_deletes
    FROM told
    WINDOW history AS (PARTITION BY document_id ORDER BY event_id)
)
SELECT document_id, count(*) OVER () AS count
FROM paired
LEFT JOIN jsonb_to_recordset(%(legal)s) AS legal (
    last_stage text, last_state text, last_begins boolean, last_tells boolean, stage text, state text, begins boolean,
    tells boolean, is_legal boolean
) USING (last_stage, last_state, last_begins, last_tells, stage, state, begins, tells)
WHERE last_deletes OR NOT CASE
    WHEN version IS DISTINCT FROM last_version
        THEN version = COALESCE(last_version, 0) + 1 AND stage = 'queued' AND state = 'queued'
    WHEN deletes THEN (stage, state) = (last_stage, last_state)
    ELSE is_legal IS NOT NULL
END
GROUP BY document_id
ORDER BY document_id
LIMIT %(shown)s;

-- history_ends_elsewhere
-- Return documents whose last event is not where their job is.
SELECT job.document_id, count(*) OVER () AS count
FROM upload_pipeline.upload_jobs AS job
LEFT JOIN LATERAL (
    SELECT event.version, event.stage, event.state
    FROM upload_pipeline.events AS event
    WHERE event.document_id = job.document_id
    ORDER BY event.event_id DESC
    LIMIT 1
) AS last ON true
WHERE (job.version, job.stage, job.state) IS DISTINCT FROM (last.version, last.stage, last.state)
ORDER BY job.document_id
LIMIT %(shown)s;

-- documents_behind
-- Return documents in the order of their ids, beginning behind one of them.
SELECT document_id, user_id, version, filename, media_type, byte_size, content_sha, parsed_content_sha, parsed_sha,
    parser_name, parser_version, page_starts, warnings
FROM upload_pipeline.documents
WHERE document_id > COALESCE(%(after_document)s::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY document_id
LIMIT %(limit)s;

-- told_outcomes
-- Return listed documents in a state of which Dagster was told some time ago, in the order of their ids.
SELECT document_id
FROM upload_pipeline.upload_jobs
WHERE state = %(state)s AND reported_at < clock_timestamp() - %(patience)s::interval
    AND (unlisted_at IS NULL OR unlisted_at < reported_at)
    AND document_id > COALESCE(%(after_document)s::uuid, '00000000-0000-0000-0000-000000000000')
ORDER BY document_id
LIMIT %(limit)s;

-- unknown_documents
-- Return those of these documents that do not exist, and that are not deleted ones still to be unlisted.
SELECT document_id
FROM unnest(%(document_ids)s::uuid[]) AS shown (document_id)
WHERE NOT EXISTS (
        SELECT FROM upload_pipeline.documents AS document WHERE document.document_id = shown.document_id
    ) AND NOT EXISTS (
        SELECT FROM upload_pipeline.deleted_documents AS deleted
        WHERE deleted.document_id = shown.document_id AND deleted.unlisted_at IS NULL
    );
