-- find_document
-- Return one document at its newest version.
SELECT document_id, user_id, version, filename, media_type, byte_size, content_sha, parsed_content_sha, parsed_sha,
    parser_name, parser_version, page_starts
FROM upload_pipeline.documents
WHERE document_id = %(document_id)s;

-- sources_of_document
-- Return the sources of a document.
SELECT source FROM upload_pipeline.document_sources WHERE document_id = %(document_id)s ORDER BY created_at, source;

-- job_status
-- Return the status of one document.
SELECT job.document_id, job.job_id, job.user_id, job.version, document.live_version, job.stage, job.state,
    job.attempts, job.crashes, job.claimed_by, job.lease_expires_at, job.next_retry_at, job.error_code,
    job.error_message, job.error_hint, job.finished_at,
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
-- Return dead letters and waiting retries, newest first.
SELECT document.document_id, document.filename, job.stage, job.state, job.error_code AS code,
    job.error_message AS message, job.error_hint AS hint
FROM upload_pipeline.upload_jobs AS job
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE job.state IN ('deadletter', 'retryable')
ORDER BY job.queued_at DESC, document.filename;
