-- reserve_outcomes
-- Reserve and return finished jobs that Dagster does not know of, with what the last stages of their assets left in the
-- history.
WITH unreported AS (
    SELECT job_id
    FROM upload_pipeline.upload_jobs
    WHERE state = 'done' AND reported_at IS NULL AND COALESCE(telling_until, '-infinity') < now()
    ORDER BY job_id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
), reserved AS (
    UPDATE upload_pipeline.upload_jobs AS job
    SET telling_until = now() + %(longest)s::interval
    FROM unreported
    WHERE job.job_id = unreported.job_id
    RETURNING job.job_id, job.document_id, job.version, job.fence, job.telling_until
)
SELECT reserved.job_id, reserved.document_id, reserved.fence, reserved.telling_until,
    (SELECT jsonb_object_agg(event.stage, event.payload ORDER BY event.event_id)
     FROM upload_pipeline.events AS event
     WHERE event.document_id = reserved.document_id AND event.version = reserved.version
        AND event.stage = ANY(%(stages)s)
        AND event.payload <> '{}') AS payloads
FROM reserved
ORDER BY reserved.job_id;

-- reserve_dead_letters
-- Reserve and return up to `limit` dead letters that Dagster does not know of.
UPDATE upload_pipeline.upload_jobs AS job
SET telling_until = now() + %(longest)s::interval
WHERE job_id = ANY(ARRAY(
    SELECT job_id
    FROM upload_pipeline.upload_jobs
    WHERE state = 'deadletter' AND reported_at IS NULL AND COALESCE(telling_until, '-infinity') < now()
    ORDER BY job_id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
))
RETURNING job_id, document_id, telling_until;

-- end_reservations
-- Let others report these jobs, unless somebody already does.
UPDATE upload_pipeline.upload_jobs
SET telling_until = NULL
WHERE job_id = ANY(ARRAY(
    SELECT job_id
    FROM upload_pipeline.upload_jobs
    WHERE job_id = ANY(%(job_ids)s) AND telling_until = %(telling_until)s
    ORDER BY job_id
    FOR UPDATE
));

-- mark_reported
-- Record that Dagster knows these outcomes, unless the jobs were claimed again since.
WITH told AS (
    SELECT job.job_id
    FROM upload_pipeline.upload_jobs AS job
    JOIN unnest(%(job_ids)s::uuid[], %(fences)s::bigint[]) AS seen (job_id, fence) USING (job_id, fence)
    WHERE job.state = 'done' AND job.reported_at IS NULL
    ORDER BY job.job_id
    FOR UPDATE OF job
)
UPDATE upload_pipeline.upload_jobs AS job
SET reported_at = now(), telling_until = NULL
FROM told
WHERE job.job_id = told.job_id;

-- mark_dead_letter_shown
-- Record that Dagster shows this dead letter.
UPDATE upload_pipeline.upload_jobs
SET reported_at = now(), telling_until = NULL
WHERE document_id = %(document_id)s AND state = 'deadletter' AND reported_at IS NULL;

-- listed_after_deletion
-- Note that Dagster may list those of these documents that have been deleted meanwhile.
UPDATE upload_pipeline.deleted_documents
SET unlisted_at = NULL
WHERE document_id = ANY(ARRAY(
    SELECT document_id
    FROM upload_pipeline.deleted_documents
    WHERE document_id = ANY(%(document_ids)s) AND unlisted_at IS NOT NULL
    ORDER BY document_id
    FOR UPDATE
));

-- any_overdue
-- Return whether Dagster has not been told of a finished job for longer than `age`.
SELECT count(*) > 0 AS overdue
FROM (
    SELECT FROM upload_pipeline.upload_jobs
    WHERE state = 'done' AND reported_at IS NULL AND finished_at < now() - %(age)s::interval
        AND COALESCE(telling_until, '-infinity') < now()
    LIMIT 1
) AS found;

-- reported_documents
-- Return those of these documents that are finished, and of which this Dagster was the last to be told.
SELECT document_id
FROM upload_pipeline.upload_jobs
WHERE document_id = ANY(%(document_ids)s) AND state = 'done' AND reported_at IS NOT NULL
    AND COALESCE(listed_by, %(dagster_id)s) = %(dagster_id)s
ORDER BY document_id;

-- report_again
-- Note that Dagster is to be told of these finished documents once more.
UPDATE upload_pipeline.upload_jobs AS job
SET reported_at = NULL
WHERE job_id = ANY(ARRAY(
    SELECT job_id
    FROM upload_pipeline.upload_jobs
    WHERE document_id = ANY(%(document_ids)s) AND state = 'done'
    ORDER BY job_id
    FOR UPDATE
));

-- move_listings
-- Note that this Dagster lists documents from now on, and any other one no longer does.
WITH wanted AS (
    SELECT job_id, document_id, listed_by
    FROM upload_pipeline.upload_jobs
    WHERE document_id = ANY(%(document_ids)s) AND listed_by IS DISTINCT FROM %(dagster_id)s
    ORDER BY job_id
    FOR UPDATE
), moved AS (
    INSERT INTO upload_pipeline.moved_listings (dagster_id, document_id)
    SELECT listed_by, document_id FROM wanted WHERE listed_by IS NOT NULL
    ON CONFLICT DO NOTHING
), back AS (
    DELETE FROM upload_pipeline.moved_listings
    WHERE dagster_id = %(dagster_id)s AND document_id = ANY(%(document_ids)s)
)
UPDATE upload_pipeline.upload_jobs AS job SET listed_by = %(dagster_id)s FROM wanted WHERE job.job_id = wanted.job_id;

-- moved_listings
-- Lock and return documents that this Dagster lists no longer.
SELECT document_id
FROM upload_pipeline.moved_listings
WHERE dagster_id = %(dagster_id)s
ORDER BY document_id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- forget_moved
-- Note that this Dagster has unlisted these documents.
DELETE FROM upload_pipeline.moved_listings WHERE dagster_id = %(dagster_id)s AND document_id = ANY(%(document_ids)s);
