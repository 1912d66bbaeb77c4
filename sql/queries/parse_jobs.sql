-- prepare_parse_job
-- A place for the provider's job, before the upload; whatever was there for this content and parser is gone.
INSERT INTO upload_pipeline.parse_jobs (
    document_id, content_sha, parser_name, parser_version, user_id, callback_secret)
VALUES (
    %(document_id)s, %(content_sha)s, %(parser_name)s, %(parser_version)s, %(user_id)s, %(callback_secret)s)
ON CONFLICT (document_id, content_sha, parser_name, parser_version) DO UPDATE
SET callback_secret = excluded.callback_secret, remote_id = NULL, booked = false, created_at = now(),
    completed_at = NULL;

-- remember_parse_job
-- The provider has accepted the upload under this id.
UPDATE upload_pipeline.parse_jobs
SET remote_id = %(remote_id)s
WHERE document_id = %(document_id)s AND content_sha = %(content_sha)s AND parser_name = %(parser_name)s
    AND parser_version = %(parser_version)s;

-- recall_parse_job
-- The job that the provider has accepted for this content.
SELECT remote_id, booked
FROM upload_pipeline.parse_jobs
WHERE document_id = %(document_id)s AND content_sha = %(content_sha)s AND parser_name = %(parser_name)s
    AND parser_version = %(parser_version)s AND remote_id IS NOT NULL;

-- book_parse_job
-- The ledger holds what the job costs.
UPDATE upload_pipeline.parse_jobs
SET booked = true
WHERE document_id = %(document_id)s AND content_sha = %(content_sha)s AND parser_name = %(parser_name)s
    AND parser_version = %(parser_version)s AND remote_id = %(remote_id)s;

-- forget_parse_job
-- The next parse of this content is a new job.
DELETE FROM upload_pipeline.parse_jobs
WHERE document_id = %(document_id)s AND content_sha = %(content_sha)s AND parser_name = %(parser_name)s
    AND parser_version = %(parser_version)s;

-- parse_job_completed
-- Whether the provider has called back for its job.
SELECT completed_at IS NOT NULL AS completed
FROM upload_pipeline.parse_jobs
WHERE remote_id = %(remote_id)s;

-- complete_parse_job
-- The provider has called back, for its job's id or with the job's secret; whose job it is, if anybody's.
WITH found AS (
    SELECT callback_secret, completed_at
    FROM upload_pipeline.parse_jobs
    WHERE remote_id = %(remote_id)s OR callback_secret = %(callback_secret)s
    FOR UPDATE
)
UPDATE upload_pipeline.parse_jobs AS job
SET completed_at = coalesce(job.completed_at, now())
FROM found
WHERE job.callback_secret = found.callback_secret
RETURNING job.document_id, found.completed_at IS NOT NULL AS completed_before;
