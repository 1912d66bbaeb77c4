-- claim_jobs
-- Lease up to `limit` queued or due jobs, or only due ones, to `claim`: users round-robin from `after`, each one's jobs
-- by priority, then age. Rows that others hold are passed over; no user has more than `per_user` jobs in work.
-- `light_only` leaves out documents that are large or have proved to be slow. `lane` leaves out those of other lanes.
WITH claimable AS (
    SELECT job.job_id, turn.place
    FROM upload_pipeline.turns(%(after)s, %(limit)s, %(retries_only)s, %(per_user)s, %(lane)s) AS turn
    CROSS JOIN LATERAL (
        SELECT job_id
        FROM upload_pipeline.upload_jobs
        WHERE user_id = turn.user_id AND state IN ('queued', 'retryable') AND COALESCE(next_retry_at, '-infinity')
            BETWEEN CASE WHEN %(retries_only)s THEN timestamptz 'epoch' ELSE '-infinity' END AND now()
            AND (%(lane)s::text IS NULL OR lane = %(lane)s)
            AND (NOT %(light_only)s OR NOT jsonb_exists_any(attempts_by_code, %(slow_codes)s) AND (
                SELECT byte_size <= %(light_bytes)s
                FROM upload_pipeline.documents
                WHERE document_id = upload_jobs.document_id))
        ORDER BY priority DESC, queued_at, job_id
        LIMIT turn.share
        FOR UPDATE SKIP LOCKED
    ) AS job
    ORDER BY turn.place
    LIMIT %(limit)s
), claimed AS (
    UPDATE upload_pipeline.upload_jobs
    SET state = 'working', claimed_by = %(claim)s, fence = fence + 1, lease_expires_at = now() + %(lease)s,
        begun = false, next_retry_at = NULL
    -- An array keeps the planner from reading the whole table, however many rows it expects.
    WHERE job_id = ANY(ARRAY(SELECT job_id FROM claimable))
    RETURNING *
), noted AS (
    INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
    SELECT document_id, job_id, user_id, version, stage, state, %(claim)s, COALESCE((SELECT correlation_id FROM upload_pipeline.events AS past WHERE past.document_id = claimed.document_id
        ORDER BY event_id DESC LIMIT 1), %(claim)s)
    FROM claimed
    RETURNING job_id, correlation_id
)
SELECT job_id, noted.correlation_id, claimed.stage, claimed.attempts, claimed.attempts_by_code, claimed.claimed_by, claimed.fence,
    document.document_id, document.user_id,
    document.version, document.filename, document.media_type, document.byte_size, document.content_sha,
    document.parsed_content_sha, document.parsed_sha, document.parser_name, document.parser_version,
    document.page_starts, document.warnings
FROM claimed
JOIN claimable USING (job_id)
JOIN noted USING (job_id)
JOIN upload_pipeline.documents AS document USING (document_id)
ORDER BY row_number() OVER (PARTITION BY claimed.user_id ORDER BY priority DESC, queued_at, job_id), place;

-- begin_jobs
-- Record that work on these held jobs begins, so that a crash counts against them. This does not wait for the disk.
UPDATE upload_pipeline.upload_jobs AS job
SET begun = true
FROM set_config('synchronous_commit', 'off', true)
WHERE job.job_id = ANY(ARRAY(
    SELECT held.job_id
    FROM upload_pipeline.upload_jobs AS held
    JOIN unnest(%(job_ids)s::uuid[], %(claims)s::text[], %(fences)s::bigint[]) AS wanted (job_id, claim, fence)
        USING (job_id, fence)
    WHERE held.claimed_by = wanted.claim AND held.state = 'working'
    ORDER BY held.job_id
    FOR UPDATE OF held
));

-- lock_job
-- Return one document's job with its document, locked until the transaction ends.
SELECT job.job_id, job.stage, job.state, job.attempts, job.claimed_by, job.lease_expires_at < now() AS expired,
    document.document_id, document.user_id, document.version, document.filename, document.media_type,
    document.byte_size, document.content_sha
FROM upload_pipeline.upload_jobs AS job
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE job.document_id = %(document_id)s
FOR UPDATE OF job;

-- restart_job
-- Queue a job again from `stage`, without its earlier failures; the caller has locked the row.
WITH restarted AS (
    UPDATE upload_pipeline.upload_jobs
    SET stage = %(stage)s, state = 'queued', claimed_by = NULL, lease_expires_at = NULL, next_retry_at = NULL,
        attempts = 0, attempts_by_code = '{}', crashes = 0, error_code = NULL, error_message = NULL,
        error_hint = NULL, finished_at = NULL, reported_at = NULL, queued_at = now()
    WHERE job_id = %(job_id)s
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, %(correlation_id)s FROM restarted;

-- take_job
-- Lease one queued, due or expired job to `claim`; the caller has locked the row.
WITH taken AS (
    UPDATE upload_pipeline.upload_jobs
    SET state = 'working', claimed_by = %(claim)s, fence = fence + 1, lease_expires_at = now() + %(lease)s,
        begun = false, next_retry_at = NULL
    WHERE job_id = %(job_id)s
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
SELECT document_id, job_id, user_id, version, stage, state, %(claim)s, COALESCE((SELECT correlation_id FROM upload_pipeline.events AS past WHERE past.document_id = taken.document_id
        ORDER BY event_id DESC LIMIT 1), %(claim)s)
FROM taken;

-- hold_job
-- Renew the lease and return the job, if `claim` holds it.
UPDATE upload_pipeline.upload_jobs AS job
SET lease_expires_at = now() + %(lease)s
FROM upload_pipeline.documents AS document
WHERE job.document_id = %(document_id)s AND job.claimed_by = %(claim)s AND document.document_id = job.document_id
RETURNING job.job_id, job.stage, job.attempts, job.attempts_by_code, job.claimed_by, job.fence,
    (SELECT correlation_id FROM upload_pipeline.events AS past WHERE past.document_id = job.document_id
        ORDER BY event_id DESC LIMIT 1) AS correlation_id,
    document.document_id, document.user_id,
    document.version, document.filename, document.media_type, document.byte_size, document.content_sha,
    document.parsed_content_sha, document.parsed_sha, document.parser_name, document.parser_version,
    document.page_starts, document.warnings;

-- claim_was_given
-- Return whether the document's job was ever given to `claim`.
SELECT EXISTS (
    SELECT FROM upload_pipeline.events WHERE document_id = %(document_id)s AND state = 'working' AND actor = %(claim)s
) AS given;

-- renew_leases
-- Renew the leases of the jobs that `claim` holds. Those that are being written are passed over: one long commit must
-- not let the leases of the others expire.
UPDATE upload_pipeline.upload_jobs
SET lease_expires_at = now() + %(lease)s
WHERE job_id = ANY(ARRAY(
    SELECT job_id
    FROM upload_pipeline.upload_jobs
    WHERE state = 'working' AND claimed_by = %(claim)s
    FOR UPDATE SKIP LOCKED
));

-- settle_job
-- Settle a held job that failed: make it retryable at a time, or a dead letter. Each counts for its
-- cause, and an attempt that the document used up also in all.
WITH settled AS (
    UPDATE upload_pipeline.upload_jobs
    SET state = %(state)s, attempts = attempts + %(counts)s, claimed_by = NULL, lease_expires_at = NULL,
        attempts_by_code = attempts_by_code || jsonb_build_object(
            %(code)s::text, COALESCE((attempts_by_code ->> %(code)s)::integer, 0) + 1),
        next_retry_at = %(next_retry_at)s, error_code = %(code)s, error_message = %(message)s, error_hint = %(hint)s,
        reported_at = CASE WHEN %(reported)s THEN now() END
    WHERE job_id = %(job_id)s AND claimed_by = %(claim)s AND fence = %(fence)s AND state = 'working'
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id, code)
SELECT document_id, job_id, user_id, version, stage, state, %(claim)s, %(correlation_id)s, error_code FROM settled;

-- release_jobs
-- Return the jobs that `claim` holds to the queue, but for the `kept` ones, or only the job of one document, or of
-- one claim of it.
WITH released AS (
    UPDATE upload_pipeline.upload_jobs
    SET state = 'queued', claimed_by = NULL, lease_expires_at = NULL
    WHERE job_id = ANY(ARRAY(
        SELECT job_id
        FROM upload_pipeline.upload_jobs
        WHERE state = 'working' AND claimed_by = %(claim)s
            AND (%(document_id)s::uuid IS NULL OR document_id = %(document_id)s)
            AND (%(fence)s::bigint IS NULL OR fence = %(fence)s)
            AND job_id <> ALL(%(kept)s::uuid[])
        ORDER BY job_id
        FOR UPDATE
    ))
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
SELECT document_id, job_id, user_id, version, stage, state, %(claim)s, COALESCE((SELECT correlation_id FROM upload_pipeline.events AS past WHERE past.document_id = released.document_id
        ORDER BY event_id DESC LIMIT 1), %(claim)s)
FROM released;

-- reclaim_jobs
-- Requeue the jobs of expired leases; a document that has crashed `worst` workers becomes a dead letter.
-- The actor's own are passed over, because it is alive, and so are all of them soon after the start of the server.
WITH expired AS (
    SELECT job_id, crashes + begun::integer AS crashes
    FROM upload_pipeline.upload_jobs
    WHERE state = 'working' AND lease_expires_at < now() AND claimed_by <> %(actor)s
        AND pg_postmaster_start_time() <= now() - %(reconnection)s::interval
    FOR UPDATE SKIP LOCKED
), reclaimed AS (
    UPDATE upload_pipeline.upload_jobs AS job
    SET crashes = expired.crashes, claimed_by = NULL, lease_expires_at = NULL,
        state = CASE WHEN expired.crashes >= %(worst)s THEN 'deadletter' ELSE 'queued' END,
        error_code = CASE WHEN expired.crashes >= %(worst)s THEN %(code)s ELSE error_code END,
        error_message = CASE WHEN expired.crashes >= %(worst)s THEN %(message)s ELSE error_message END,
        error_hint = CASE WHEN expired.crashes >= %(worst)s THEN %(hint)s ELSE error_hint END
    FROM expired
    WHERE job.job_id = expired.job_id
    RETURNING job.*
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id, code)
SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, COALESCE((SELECT correlation_id FROM upload_pipeline.events AS past WHERE past.document_id = reclaimed.document_id
        ORDER BY event_id DESC LIMIT 1), %(correlation_id)s),
    CASE WHEN state = 'deadletter' THEN error_code END
FROM reclaimed;

-- count_waiting
-- Count the jobs that could be claimed now, in one lane or in all, up to `limit`.
SELECT LEAST(COALESCE(sum(share), 0), %(limit)s) AS count
FROM upload_pipeline.turns('00000000-0000-0000-0000-000000000000', %(limit)s, false, %(per_user)s, %(lane)s);

-- any_unfinished
-- Return whether any job that is not paused is queued, in progress or waiting for a retry.
SELECT count(*) > 0 AS unfinished
FROM (
    (
        SELECT
        FROM upload_pipeline.upload_jobs
        WHERE state IN ('queued', 'retryable') AND NOT EXISTS (
            SELECT
            FROM upload_pipeline.pauses
            WHERE provider IS NULL AND COALESCE(pauses.user_id, upload_jobs.user_id) = upload_jobs.user_id
        )
        ORDER BY user_id, priority DESC, queued_at, job_id
        LIMIT 1
    )
    UNION ALL
    (SELECT FROM upload_pipeline.upload_jobs WHERE state = 'working' ORDER BY user_id LIMIT 1)
) AS found;

-- holders
-- Return the claims with a lease that has not expired.
SELECT DISTINCT claimed_by
FROM upload_pipeline.upload_jobs
WHERE state = 'working' AND lease_expires_at > now();
