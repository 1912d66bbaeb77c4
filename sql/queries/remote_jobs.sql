-- prepare_remote_job
-- Make room for a remote job before the upload, replacing any earlier one for this content and parser. If the provider is
-- told an id of the request, it is asked in an hour what came of it, unless that is known by then.
INSERT INTO upload_pipeline.parse_jobs (
    document_id, content_sha, parser_name, parser_version, user_id, callback_secret, call_id, request_id, bill_due_at)
VALUES (
    %(document_id)s, %(content_sha)s, %(parser_name)s, %(parser_version)s, %(user_id)s, %(callback_secret)s, %(call_id)s,
    %(remote_request_id)s, CASE WHEN %(remote_request_id)s::uuid IS NOT NULL THEN now() + interval '1 hour' END)
ON CONFLICT (document_id, content_sha, parser_name, parser_version) DO UPDATE
SET callback_secret = excluded.callback_secret, call_id = excluded.call_id, request_id = excluded.request_id,
    withdrawn = false, remote_id = NULL, booked = false, bill_due_at = excluded.bill_due_at, created_at = now(), completed_at = NULL;

-- withdraw_remote_job
-- Record that the provider certainly has no job of a request.
UPDATE upload_pipeline.parse_jobs
SET withdrawn = true, bill_due_at = NULL
WHERE request_id = %(remote_request_id)s;

-- unanswered_remote_job
-- Return the request for a remote job for this content whose answer never arrived.
SELECT request_id, created_at AS asked_at, call_id
FROM upload_pipeline.parse_jobs
WHERE document_id = %(document_id)s AND content_sha = %(content_sha)s AND parser_name = %(parser_name)s
    AND parser_version = %(parser_version)s AND remote_id IS NULL AND request_id IS NOT NULL AND NOT withdrawn;

-- remember_remote_job
-- Record the id under which the provider has accepted the upload, unless a newer upload has been prepared since.
UPDATE upload_pipeline.parse_jobs
SET remote_id = %(remote_id)s, withdrawn = false, bill_due_at = NULL
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

-- await_bill
-- Have the provider asked in a minute for the bill of the remote job.
UPDATE upload_pipeline.parse_jobs
SET bill_due_at = now() + interval '1 minute'
WHERE document_id = %(document_id)s AND content_sha = %(content_sha)s AND parser_name = %(parser_name)s
    AND parser_version = %(parser_version)s AND remote_id = %(remote_id)s;

-- forget_remote_job
-- Forget the remote job, so that the next parse of this content starts a new one.
DELETE FROM upload_pipeline.parse_jobs
WHERE document_id = %(document_id)s AND content_sha = %(content_sha)s AND parser_name = %(parser_name)s
    AND parser_version = %(parser_version)s AND remote_id = %(remote_id)s;

-- leave_remote_job
-- Leave a job to be removed at its provider that never had a row of its own, because another job of its request is kept.
INSERT INTO upload_pipeline.remote_leftovers (request_id, provider, remote_id, call_id, asked_at)
VALUES (%(remote_request_id)s, %(provider)s, %(remote_id)s, %(call_id)s, %(asked_at)s)
ON CONFLICT DO NOTHING;

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

-- secret_of_request
-- Return what signs the callbacks of a request's job.
SELECT callback_secret FROM upload_pipeline.parse_jobs WHERE request_id = %(remote_request_id)s;

-- remote_leftovers_are_due
-- Return whether a bill is to be asked for, or a leftover to be removed.
SELECT EXISTS (
        SELECT FROM upload_pipeline.parse_jobs WHERE bill_due_at <= now() AND parser_name = ANY(%(providers)s)
    ) OR EXISTS (
        SELECT FROM upload_pipeline.remote_leftovers WHERE due_at <= now() AND provider = ANY(%(providers)s)
    ) AS due;

-- due_bills
-- Return remote jobs whose bill is to be asked for now, either those whose ids are known or those that have to be looked for
-- because nobody has heard of them, and put off their next turn by their age.
WITH due AS (
    SELECT callback_secret, created_at
    FROM upload_pipeline.parse_jobs
    WHERE bill_due_at <= now() AND parser_name = ANY(%(providers)s) AND (remote_id IS NOT NULL) = %(is_known)s
    ORDER BY bill_due_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE upload_pipeline.parse_jobs AS job
SET bill_due_at = CASE WHEN due.created_at > now() - interval '7 days'
    THEN now() + greatest(now() - due.created_at, interval '1 minute') END
FROM due
WHERE job.callback_secret = due.callback_secret
RETURNING job.parser_name AS provider, job.remote_id, job.request_id, job.created_at AS asked_at, job.call_id;

-- unheard_settled
-- Record that there is no more to ask about what a request for a remote job has cost.
UPDATE upload_pipeline.parse_jobs SET bill_due_at = NULL WHERE request_id = %(remote_request_id)s AND remote_id IS NULL;

-- remote_job_billed
-- Record that there is no more to ask about a remote job's bill.
UPDATE upload_pipeline.parse_jobs SET bill_due_at = NULL WHERE remote_id = %(remote_id)s;

-- due_leftovers
-- Return remote jobs that are left over, either those whose ids are known or those that have to be looked for, and put off
-- their next turn by the time since then, at most by six hours.
WITH due AS (
    SELECT request_id
    FROM upload_pipeline.remote_leftovers
    WHERE due_at <= now() AND provider = ANY(%(providers)s) AND (remote_id IS NOT NULL) = %(is_known)s
    ORDER BY due_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE upload_pipeline.remote_leftovers AS leftover
SET due_at = now() + least(greatest(now() - left_at, interval '1 minute'), interval '6 hours')
FROM due
WHERE leftover.request_id = due.request_id
RETURNING provider, leftover.request_id, asked_at, remote_id, call_id, left_at < now() - interval '1 hour' AS is_old;

-- leftover_removed
-- Record that the provider keeps nothing of a remote job that was left over.
DELETE FROM upload_pipeline.remote_leftovers WHERE request_id = %(remote_request_id)s;

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
