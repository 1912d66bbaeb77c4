-- unreported_outcomes
-- Lock and return finished jobs that Dagster does not know of, with what the last stages of their assets left in the
-- history.
WITH unreported AS (
    SELECT job_id, document_id, version
    FROM upload_pipeline.upload_jobs
    WHERE state = 'done' AND reported_at IS NULL
    ORDER BY job_id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
SELECT unreported.job_id, unreported.document_id,
    (SELECT jsonb_object_agg(event.stage, event.payload ORDER BY event.event_id)
     FROM upload_pipeline.events AS event
     WHERE event.document_id = unreported.document_id AND event.version = unreported.version
        AND event.stage = ANY(%(stages)s)
        AND event.payload <> '{}') AS payloads
FROM unreported;

-- unreported_dead_letters
-- Lock and return up to `limit` dead letters that Dagster does not know of.
SELECT job_id, document_id
FROM upload_pipeline.upload_jobs
WHERE state = 'deadletter' AND reported_at IS NULL
ORDER BY job_id
LIMIT %(limit)s
FOR UPDATE SKIP LOCKED;

-- mark_reported
-- Record that Dagster knows these outcomes.
UPDATE upload_pipeline.upload_jobs SET reported_at = now() WHERE job_id = ANY(%(job_ids)s);
