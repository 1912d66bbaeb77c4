-- export_one_moment
-- Read everything as of one moment. Whoever reads the export may take long over it, and this holds up nobody.
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;
SET LOCAL idle_in_transaction_session_timeout = '1h';
SET LOCAL statement_timeout = 0;

-- export_documents
-- Return the user's documents with their jobs and how much of them searches find, oldest first.
SELECT document.document_id, document.user_id, job.job_id, document.version, document.live_version, document.filename,
    document.media_type, document.byte_size, document.content_sha, document.parsed_sha, document.parser_name,
    document.parser_version, document.warnings, document.metadata, document.created_at, document.updated_at,
    job.stage, job.state, job.attempts,
    job.error_code, job.queued_at, job.finished_at,
    (SELECT count(*) FROM upload_pipeline.document_chunks WHERE document_id = document.document_id) AS chunks,
    (SELECT count(*) FROM upload_pipeline.document_chunk_buffer WHERE document_id = document.document_id)
        AS buffered_chunks,
    (SELECT count(*) FROM upload_pipeline.document_vector_buffer WHERE document_id = document.document_id)
        AS buffered_vectors
FROM upload_pipeline.documents AS document
JOIN upload_pipeline.upload_jobs AS job USING (document_id)
WHERE document.user_id = %(user_id)s
    AND (%(document_id)s::uuid IS NULL OR document.document_id = %(document_id)s)
ORDER BY document.created_at, document.document_id;

-- export_sources
-- Return the sources of documents, oldest first.
SELECT document_id, user_id, source, file_size, file_sha, created_at
FROM upload_pipeline.document_sources
WHERE user_id = %(user_id)s AND (%(document_id)s::uuid IS NULL OR document_id = %(document_id)s)
ORDER BY created_at, source;

-- export_remote_jobs
-- Return the remote jobs of parsing providers, oldest first.
SELECT document_id, user_id, parser_name, parser_version, content_sha, remote_id, request_id, created_at, completed_at
FROM upload_pipeline.parse_jobs
WHERE user_id = %(user_id)s AND (%(document_id)s::uuid IS NULL OR document_id = %(document_id)s)
ORDER BY created_at, document_id, content_sha;

-- export_callbacks
-- Return what providers have sent about documents, oldest first.
SELECT webhook_id, document_id, user_id, service, received_at, outcome, octet_length(body) AS body_bytes
FROM upload_pipeline.webhook_log
WHERE user_id = %(user_id)s AND (%(document_id)s::uuid IS NULL OR document_id = %(document_id)s)
ORDER BY webhook_id;

-- export_calls
-- Return what calls of providers have cost, oldest first.
SELECT call_id, document_id, user_id, service, outcome, tokens, pages, credits, micro_usd, request_id, started_at,
    settled_at
FROM upload_pipeline.paid_calls
WHERE user_id = %(user_id)s AND (%(document_id)s::uuid IS NULL OR document_id = %(document_id)s)
ORDER BY call_id;

-- export_requests
-- Return the answers that are remembered for repeated requests, oldest first.
SELECT document_id, user_id, job_id, status, created_at
FROM upload_pipeline.idempotency_keys
WHERE user_id = %(user_id)s AND (%(document_id)s::uuid IS NULL OR document_id = %(document_id)s)
ORDER BY created_at, key_sha;

-- export_deletions
-- Return the documents that were deleted, first deleted first.
SELECT document_id, user_id, deleted_at, erased_at
FROM upload_pipeline.deleted_documents
WHERE user_id = %(user_id)s AND (%(document_id)s::uuid IS NULL OR document_id = %(document_id)s)
ORDER BY deleted_at, document_id;

-- export_events
-- Return the audit trail, oldest first, including documents that are gone.
SELECT event_id, occurred_at, document_id, user_id, job_id, version, stage, state, actor, correlation_id, code, payload
FROM upload_pipeline.events
WHERE user_id = %(user_id)s AND (%(document_id)s::uuid IS NULL OR document_id = %(document_id)s)
ORDER BY event_id;

-- last_event
-- Return the id of the newest event that everybody sees.
SELECT coalesce(max(event_id), 0) AS event_id FROM upload_pipeline.events;

-- audit_events
-- Return the events of everybody, a user or a document behind one of them and up to another, in ids alone.
SELECT event_id, occurred_at AS time, actor, correlation_id, user_id, document_id, job_id, version,
    stage || '/' || state AS action, code
FROM upload_pipeline.events
WHERE event_id > %(after_event)s AND event_id <= %(last_event)s
    AND (%(user_id)s::uuid IS NULL OR user_id = %(user_id)s)
    AND (%(document_id)s::uuid IS NULL OR document_id = %(document_id)s)
ORDER BY event_id;
