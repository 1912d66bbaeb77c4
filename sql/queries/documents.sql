-- lock_user
-- One intake at a time per user, until the transaction ends.
SELECT pg_advisory_xact_lock(hashtextextended('intake ' || %(user_id)s::text, 0));

-- document_of_source
-- The document that this source gave, and whether other sources share it.
SELECT document.document_id, document.content_sha, job.job_id, job.state, job.error_code,
    EXISTS (
        SELECT FROM upload_pipeline.document_sources AS other
        WHERE other.document_id = document.document_id AND other.source <> source.source
    ) AS shared
FROM upload_pipeline.document_sources AS source
JOIN upload_pipeline.documents AS document USING (document_id)
JOIN upload_pipeline.upload_jobs AS job USING (document_id)
WHERE source.user_id = %(user_id)s AND source.source = %(source)s;

-- document_of_content
-- The oldest document of the user with this content.
SELECT document.document_id, job.job_id, job.state, job.error_code
FROM upload_pipeline.documents AS document
JOIN upload_pipeline.upload_jobs AS job USING (document_id)
WHERE document.user_id = %(user_id)s AND document.content_sha = %(content_sha)s
ORDER BY document.created_at, document.document_id
LIMIT 1;

-- save_source
-- This source gives this document from now on.
INSERT INTO upload_pipeline.document_sources (user_id, source, document_id)
VALUES (%(user_id)s, %(source)s, %(document_id)s)
ON CONFLICT (user_id, source) DO UPDATE SET document_id = excluded.document_id;

-- insert_document
-- A document's first version.
INSERT INTO upload_pipeline.documents (document_id, user_id, filename, media_type, byte_size, content_sha)
VALUES (%(document_id)s, %(user_id)s, %(filename)s, %(media_type)s, %(byte_size)s, %(content_sha)s);

-- insert_job
-- A document's place in the queue, with the first event.
WITH made AS (
    INSERT INTO upload_pipeline.upload_jobs (job_id, document_id, user_id, version, priority)
    VALUES (%(job_id)s, %(document_id)s, %(user_id)s, 1, %(priority)s)
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor)
SELECT document_id, job_id, user_id, version, stage, state, %(actor)s FROM made;

-- replace_content
-- A document's next version; what searches find stays as it is.
UPDATE upload_pipeline.documents
SET version = version + 1, filename = %(filename)s, media_type = %(media_type)s, byte_size = %(byte_size)s,
    content_sha = %(content_sha)s, updated_at = now()
WHERE document_id = %(document_id)s;

-- requeue_version
-- The job begins anew for the next version; whoever worked on the one before finds its claim gone.
WITH requeued AS (
    UPDATE upload_pipeline.upload_jobs AS job
    SET version = document.version, stage = 'queued', state = 'queued', attempts = 0, crashes = 0, claimed_by = NULL,
        lease_expires_at = NULL, begun = false, next_retry_at = NULL, error_code = NULL, error_message = NULL,
        error_hint = NULL, queued_at = now(), priority = %(priority)s, finished_at = NULL, reported_at = NULL
    FROM upload_pipeline.documents AS document
    WHERE document.document_id = %(document_id)s AND job.document_id = document.document_id
    RETURNING job.*
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor)
SELECT document_id, job_id, user_id, version, stage, state, %(actor)s FROM requeued;

-- find_document
-- One document at its newest version.
SELECT document_id, user_id, version, filename, media_type, byte_size, content_sha
FROM upload_pipeline.documents
WHERE document_id = %(document_id)s;

-- stored_parse
-- The newest parse of this content, where there is one.
SELECT parsed_sha, page_starts, parser_name, parser_version
FROM upload_pipeline.documents
WHERE document_id = %(document_id)s AND parsed_content_sha = %(content_sha)s;

-- save_parse
-- Where the parse of this content is kept.
UPDATE upload_pipeline.documents
SET parsed_content_sha = %(content_sha)s, parsed_sha = %(parsed_sha)s, parser_name = %(parser_name)s,
    parser_version = %(parser_version)s, page_starts = %(page_starts)s, updated_at = now()
WHERE document_id = %(document_id)s;

-- failed_documents
-- Dead letters and waiting retries, newest first.
SELECT document.document_id, document.filename, job.stage, job.state, job.error_code AS code,
    job.error_message AS message, job.error_hint AS hint
FROM upload_pipeline.upload_jobs AS job
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE job.state IN ('deadletter', 'retryable')
ORDER BY job.queued_at DESC, document.filename;

-- sources_of_document
-- Where a document came from.
SELECT source FROM upload_pipeline.document_sources WHERE document_id = %(document_id)s ORDER BY created_at, source;

-- delete_document
-- Removes a document with everything that refers to it; whose it was.
DELETE FROM upload_pipeline.documents WHERE document_id = %(document_id)s RETURNING user_id;

-- count_documents
-- How many documents there are, how many of them searches find, and how many are dead letters.
SELECT count(*) AS documents, count(document.live_version) AS searchable,
    count(*) FILTER (WHERE job.state = 'deadletter') AS dead_letters
FROM upload_pipeline.documents AS document
JOIN upload_pipeline.upload_jobs AS job USING (document_id);
