-- flow_of_jobs
-- Return how many jobs wait, are at work and were lately done, and when a sensor last looked at the queue.
SELECT now() AS at, waiting.jobs AS waiting, waiting.since AS waiting_since, retrying.jobs AS retrying,
    retrying.next_at AS next_retry_at, held.working, held.workers, held.abandoned, finished.jobs AS finished,
    finished.last_at AS finished_at, (SELECT max(looked_at) FROM upload_pipeline.instances) AS looked_at
FROM (
    SELECT count(*) AS jobs, min(queued_at) AS since
    FROM upload_pipeline.upload_jobs
    WHERE state IN ('queued', 'retryable') AND COALESCE(next_retry_at, '-infinity') <= now()
) AS waiting, (
    SELECT count(*) AS jobs, min(next_retry_at) AS next_at
    FROM upload_pipeline.upload_jobs
    WHERE state IN ('queued', 'retryable') AND next_retry_at > now()
) AS retrying, (
    SELECT count(*) FILTER (WHERE lease_expires_at > now()) AS working,
        count(DISTINCT claimed_by) FILTER (WHERE lease_expires_at > now()) AS workers,
        count(*) FILTER (WHERE lease_expires_at <= now()) AS abandoned
    FROM upload_pipeline.upload_jobs
    WHERE state = 'working'
) AS held, (
    SELECT count(*) FILTER (WHERE finished_at > now() - %(window)s::interval) AS jobs, max(finished_at) AS last_at
    FROM upload_pipeline.upload_jobs
) AS finished;

-- begin_pause
-- Pause a user's documents, the calls to a provider or, if both are null, everything.
INSERT INTO upload_pipeline.pauses (user_id, provider) VALUES (%(user_id)s, %(provider)s)
ON CONFLICT DO NOTHING
RETURNING began_at;

-- end_pause
-- End the pause of a user's documents, of the calls to a provider or, if both are null, of everything.
DELETE FROM upload_pipeline.pauses
WHERE user_id IS NOT DISTINCT FROM %(user_id)s::uuid AND provider IS NOT DISTINCT FROM %(provider)s::text
RETURNING began_at;

-- pauses
-- Return all pauses, the oldest first.
SELECT user_id, provider, began_at FROM upload_pipeline.pauses ORDER BY began_at, user_id, provider;
