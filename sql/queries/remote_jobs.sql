-- prepare_remote_job
-- Make room for a remote job before the upload, replacing any earlier one for this content and parser.
INSERT INTO upload_pipeline.parse_jobs (
    document_id, content_sha, parser_name, parser_version, user_id, callback_secret, call_id)
VALUES (
    %(document_id)s, %(content_sha)s, %(parser_name)s, %(parser_version)s, %(user_id)s, %(callback_secret)s, %(call_id)s)
ON CONFLICT (document_id, content_sha, parser_name, parser_version) DO UPDATE
SET callback_secret = excluded.callback_secret, call_id = excluded.call_id, remote_id = NULL, booked = false,
    created_at = now(), completed_at = NULL;

-- remember_remote_job
-- Record the id under which the provider has accepted the upload, unless a newer upload has been prepared since.
UPDATE upload_pipeline.parse_jobs
SET remote_id = %(remote_id)s
WHERE document_id = %(document_id)s AND content_sha = %(content_sha)s AND parser_name = %(parser_name)s
    AND parser_version = %(parser_version)s AND call_id IS NOT DISTINCT FROM %(call_id)s;

-- recall_remote_job
-- Return the remote job that the provider has accepted for this content.
SELECT remote_id, booked, call_id
FROM upload_pipeline.parse_jobs
WHERE document_id = %(document_id)s AND content_sha = %(content_sha)s AND parser_name = %(parser_name)s
    AND parser_version = %(parser_version)s AND remote_id IS NOT NULL;

-- book_remote_job
-- Record that the ledger holds the cost of the remote job.
UPDATE upload_pipeline.parse_jobs
SET booked = true
WHERE document_id = %(document_id)s AND content_sha = %(content_sha)s AND parser_name = %(parser_name)s
    AND parser_version = %(parser_version)s AND remote_id = %(remote_id)s;

-- forget_remote_job
-- Forget the remote job, so that the next parse of this content starts a new one.
DELETE FROM upload_pipeline.parse_jobs
WHERE document_id = %(document_id)s AND content_sha = %(content_sha)s AND parser_name = %(parser_name)s
    AND parser_version = %(parser_version)s AND remote_id = %(remote_id)s;

-- remote_job_completed
-- Return whether the provider has called back for its job.
SELECT completed_at IS NOT NULL AS completed
FROM upload_pipeline.parse_jobs
WHERE remote_id = %(remote_id)s;

-- expects_callback
-- Return whether a job was given this secret.
SELECT exists(
    SELECT FROM upload_pipeline.parse_jobs WHERE callback_secret = %(callback_secret)s
) AS expected;

-- complete_remote_job
-- Record that the provider has called back, with its job's id or secret. Return the document of the job, if there is
-- one.
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
