-- find_document
-- Return one document at its newest version.
SELECT document_id, user_id, version, filename, media_type, byte_size, content_sha, parsed_content_sha, parsed_sha,
    parser_name, parser_version, page_starts, warnings
FROM upload_pipeline.documents
WHERE document_id = %(document_id)s;

-- named_documents
-- Return the documents that are meant by a path, a file name or the beginning of an id, the surest kind of name alone.
WITH meant AS (
    SELECT document_id, 1 AS doubt FROM upload_pipeline.document_sources WHERE source = %(source)s
    UNION ALL
    SELECT document_id, CASE WHEN filename = %(name)s THEN 2 ELSE 3 END
    FROM upload_pipeline.documents WHERE lower(filename) = lower(%(name)s)
    UNION ALL
    SELECT document_id, 4 FROM upload_pipeline.documents WHERE document_id BETWEEN %(first_id)s AND %(last_id)s
)
SELECT document.document_id, document.filename,
    (SELECT source FROM upload_pipeline.document_sources AS source
     WHERE source.document_id = document.document_id
     ORDER BY created_at, source LIMIT 1) AS source
FROM upload_pipeline.documents AS document
WHERE document_id IN (SELECT document_id FROM meant WHERE doubt = (SELECT min(doubt) FROM meant))
ORDER BY filename, document_id
LIMIT %(limit)s;

-- sources_of_document
-- Return the sources of a document.
SELECT source FROM upload_pipeline.document_sources WHERE document_id = %(document_id)s ORDER BY created_at, source;

-- job_status
-- Return the status of one document.
SELECT job.document_id, job.job_id, job.user_id, job.version, document.live_version, job.stage, job.state,
    job.attempts, job.crashes, job.claimed_by, job.lease_expires_at, job.next_retry_at, job.error_code,
    job.error_message, job.error_hint, job.finished_at, job.lane, document.warnings,
    (SELECT count(*) FROM upload_pipeline.document_chunks AS chunk
     WHERE chunk.document_id = job.document_id) AS chunks
FROM upload_pipeline.upload_jobs AS job
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE job.document_id = %(document_id)s;

-- job_history
-- Return what happened to a document, oldest first.
SELECT occurred_at, version, stage, state, actor, correlation_id, code, payload
FROM upload_pipeline.events
WHERE document_id = %(document_id)s
ORDER BY event_id;

-- count_states
-- Count these documents' jobs by state.
SELECT state, count(*) AS jobs
FROM upload_pipeline.upload_jobs
WHERE document_id = ANY(%(document_ids)s)
GROUP BY state;

-- count_jobs
-- Count the jobs by stage and state.
SELECT stage, state, count(*) AS jobs
FROM upload_pipeline.upload_jobs
GROUP BY stage, state
ORDER BY stage, state;

-- count_documents
-- Count the documents, those that searches find, and the dead letters.
SELECT count(*) AS documents, count(document.live_version) AS searchable,
    count(*) FILTER (WHERE job.state = 'deadletter') AS dead_letters
FROM upload_pipeline.documents AS document
JOIN upload_pipeline.upload_jobs AS job USING (document_id);

-- failed_documents
-- Return dead letters and waiting retries, newest first: all of them, or those with a code, up to `limit`.
SELECT document.document_id, document.filename, job.stage, job.state, job.error_code AS code,
    job.error_message AS message, job.error_hint AS hint
FROM upload_pipeline.upload_jobs AS job
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE job.state IN ('deadletter', 'retryable') AND (%(code)s::text IS NULL OR job.error_code = %(code)s)
ORDER BY job.queued_at DESC, document.filename
LIMIT %(limit)s;

-- failed_causes
-- Group dead letters and waiting retries by code, most first, with what the first of each says, and since when it has
-- failed.
WITH cause AS (
    SELECT error_code AS code, count(*) AS count, count(*) FILTER (WHERE state = 'retryable') AS waiting,
        array_agg(DISTINCT stage) AS stages, min(next_retry_at) AS next_retry_at, min(queued_at) AS queued_at
    FROM upload_pipeline.upload_jobs
    WHERE state IN ('retryable', 'deadletter')
    GROUP BY error_code
)
SELECT cause.code, cause.count, cause.waiting, cause.stages, cause.next_retry_at, first.error_message AS message,
    first.error_hint AS hint, COALESCE(failure.occurred_at, cause.queued_at) AS since
FROM cause
CROSS JOIN LATERAL (
    SELECT document_id, error_message, error_hint
    FROM upload_pipeline.upload_jobs
    WHERE state IN ('retryable', 'deadletter') AND queued_at = cause.queued_at AND error_code = cause.code
    ORDER BY job_id
    LIMIT 1
) AS first
CROSS JOIN LATERAL (
    SELECT min(occurred_at) AS occurred_at
    FROM upload_pipeline.events
    WHERE document_id = first.document_id AND code = cause.code AND occurred_at >= cause.queued_at
) AS failure
ORDER BY cause.count DESC, cause.code;

-- failed_sources
-- Return where the dead letters with a code came from, and whose they are.
SELECT source.user_id, source.source
FROM upload_pipeline.upload_jobs AS job
JOIN upload_pipeline.document_sources AS source USING (document_id)
WHERE job.state IN ('retryable', 'deadletter') AND job.state = 'deadletter' AND job.error_code = %(code)s
ORDER BY source.user_id, source.source;

-- metadata_of_document
-- Return what is known about a document besides its text.
SELECT metadata FROM upload_pipeline.documents WHERE document_id = %(document_id)s;

-- facets
-- Return how many documents have each value of these keys, the most frequent first, and of each key not too many.
SELECT key, value, documents
FROM (
    SELECT key, value, count(*) AS documents,
        row_number() OVER (PARTITION BY key ORDER BY count(*) DESC, value COLLATE "C") AS place
    FROM upload_pipeline.documents
    CROSS JOIN unnest(%(keys)s::text[]) AS key
    CROSS JOIN LATERAL (SELECT metadata ->> key AS value) AS known
    WHERE user_id = %(user_id)s AND value IS NOT NULL
        AND (%(documents)s::uuid[] IS NULL OR document_id = ANY(%(documents)s))
    GROUP BY key, value
) AS counted
WHERE place <= %(limit)s
ORDER BY key, place;

-- attachments_of_document
-- Return what a document's attachments became: documents, or nothing.
SELECT source.source, NULL AS path, source.document_id, job.stage, job.state, document.live_version IS NOT NULL AS searchable,
    job.error_code AS code
FROM upload_pipeline.document_sources AS source
JOIN upload_pipeline.documents AS document USING (document_id)
JOIN upload_pipeline.upload_jobs AS job USING (document_id)
WHERE source.parent_id = %(document_id)s
UNION ALL
SELECT NULL, path, NULL, NULL, NULL, false, code
FROM upload_pipeline.skipped_attachments
WHERE document_id = %(document_id)s
ORDER BY source, path;

-- list_documents
-- Return documents, newest first, behind one of them; what is null does not matter. Nothing is behind an unknown document.
SELECT document.document_id, document.filename, job.stage, job.state, job.error_code AS code,
    document.live_version IS NOT NULL AS searchable, document.warnings
FROM upload_pipeline.documents AS document
JOIN upload_pipeline.upload_jobs AS job USING (document_id)
LEFT JOIN upload_pipeline.documents AS last ON last.document_id = %(after)s::uuid
WHERE (%(after)s::uuid IS NULL OR (document.created_at, document.document_id) < (last.created_at, last.document_id))
    AND (%(state)s::text IS NULL OR job.state = %(state)s)
    AND (%(code)s::text IS NULL OR job.error_code = %(code)s)
    AND (%(name)s::text IS NULL OR strpos(lower(document.filename), lower(%(name)s)) > 0)
    AND (%(since)s::timestamptz IS NULL OR document.updated_at >= %(since)s)
    AND (NOT %(with_warnings)s OR document.warnings <> '{}')
ORDER BY document.created_at DESC, document.document_id DESC
LIMIT %(limit)s;

-- announcements
-- Return the events behind one of them and up to another with which documents became done or failed, oldest first, unless
-- the document is gone; its deletion repeats the state that it had.
SELECT event.event_id, event.document_id, event.version, event.state, event.code, event.occurred_at,
    document.live_version IS NOT NULL AS searchable
FROM upload_pipeline.events AS event
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE event.event_id > %(after_event)s AND event.event_id <= %(last_event)s
    AND event.state IN ('done', 'retryable', 'deadletter') AND event.code IS DISTINCT FROM 'deleted'
ORDER BY event.event_id
LIMIT %(limit)s;

-- announced_users
-- Return those of these users whose documents became done or failed behind one event and up to another.
SELECT DISTINCT user_id
FROM upload_pipeline.events
WHERE event_id > %(after_event)s AND event_id <= %(last_event)s AND user_id = ANY(%(user_ids)s)
    AND state IN ('done', 'retryable', 'deadletter');
