-- lock_claims
-- One claim at a time, until the transaction ends: where users have a limit, what others have claimed must be counted.
SELECT pg_advisory_xact_lock(hashtextextended('claims', 0));

-- claim_jobs
-- Up to `limit` queued or due jobs (or due ones only), leased to `claim`: round the users after `after`, each one's by
-- priority, then age. Rows that others hold are passed over; nobody gets more than `per_user` jobs in work by it.
WITH claimable AS (
    SELECT job.job_id, turn.place
    FROM upload_pipeline.turns(%(after)s, %(limit)s, %(retries_only)s, %(per_user)s) AS turn
    CROSS JOIN LATERAL (
        SELECT job_id
        FROM upload_pipeline.upload_jobs
        WHERE user_id = turn.user_id AND state IN ('queued', 'retryable') AND COALESCE(next_retry_at, '-infinity')
            BETWEEN CASE WHEN %(retries_only)s THEN timestamptz 'epoch' ELSE '-infinity' END AND now()
        ORDER BY priority DESC, queued_at, job_id
        LIMIT turn.share
        FOR UPDATE SKIP LOCKED
    ) AS job
    ORDER BY turn.place
    LIMIT %(limit)s
), claimed AS (
    UPDATE upload_pipeline.upload_jobs
    SET state = 'working', claimed_by = %(claim)s, lease_expires_at = now() + %(lease)s, begun = false,
        next_retry_at = NULL
    -- An array, so that no estimate of how many there are can make the planner read the whole table.
    WHERE job_id = ANY(ARRAY(SELECT job_id FROM claimable))
    RETURNING *
), noted AS (
    INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
    SELECT document_id, job_id, user_id, version, stage, state, %(claim)s, %(claim)s FROM claimed
)
SELECT job_id, claimed.stage, claimed.attempts, claimed.claimed_by, document.document_id, document.user_id,
    document.version, document.filename, document.media_type, document.byte_size, document.content_sha
FROM claimed
JOIN claimable USING (job_id)
JOIN upload_pipeline.documents AS document USING (document_id)
ORDER BY row_number() OVER (PARTITION BY claimed.user_id ORDER BY priority DESC, queued_at, job_id), place;

-- lock_job
-- One document's job with its document, locked until the transaction ends.
SELECT job.job_id, job.stage, job.state, job.attempts, job.claimed_by, job.lease_expires_at < now() AS expired,
    document.document_id, document.user_id, document.version, document.filename, document.media_type,
    document.byte_size, document.content_sha
FROM upload_pipeline.upload_jobs AS job
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE job.document_id = %(document_id)s
FOR UPDATE OF job;

-- restart_job
-- Queues a job again from `stage`, without its earlier failures; the caller has locked the row.
WITH restarted AS (
    UPDATE upload_pipeline.upload_jobs
    SET stage = %(stage)s, state = 'queued', claimed_by = NULL, lease_expires_at = NULL, next_retry_at = NULL,
        attempts = 0, crashes = 0, error_code = NULL, error_message = NULL, error_hint = NULL, finished_at = NULL,
        reported_at = NULL, queued_at = now()
    WHERE job_id = %(job_id)s
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, %(correlation_id)s FROM restarted;

-- take_job
-- Leases one queued or due or expired job to `claim`; the caller has locked the row.
WITH taken AS (
    UPDATE upload_pipeline.upload_jobs
    SET state = 'working', claimed_by = %(claim)s, lease_expires_at = now() + %(lease)s, begun = false,
        next_retry_at = NULL
    WHERE job_id = %(job_id)s
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
SELECT document_id, job_id, user_id, version, stage, state, %(claim)s, %(claim)s FROM taken;

-- hold_job
-- The job if `claim` holds it, its lease renewed.
UPDATE upload_pipeline.upload_jobs AS job
SET lease_expires_at = now() + %(lease)s
FROM upload_pipeline.documents AS document
WHERE job.document_id = %(document_id)s AND job.claimed_by = %(claim)s AND document.document_id = job.document_id
RETURNING job.job_id, job.stage, job.attempts, job.claimed_by, document.document_id, document.user_id,
    document.version, document.filename, document.media_type, document.byte_size, document.content_sha;

-- renew_leases
-- Keeps everything that `claim` holds.
UPDATE upload_pipeline.upload_jobs
SET lease_expires_at = now() + %(lease)s
WHERE state = 'working' AND claimed_by = %(claim)s;

-- advance_job
-- Moves a held job through `stages`, one event each, if it stands at one of `sources`; the last event has the payload.
-- It does not wait for the disk: a server that crashes forgets the newest moves at worst, and the work is done again.
WITH moved AS (
    UPDATE upload_pipeline.upload_jobs
    SET stage = %(stage)s, begun = true
    WHERE job_id = %(job_id)s AND claimed_by = %(claim)s AND state = 'working' AND stage = ANY(%(sources)s)
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id, payload)
SELECT moved.document_id, moved.job_id, moved.user_id, moved.version, passed.stage, moved.state, moved.claimed_by,
    moved.claimed_by,
    CASE WHEN passed.stage = %(stage)s AND %(payload)s <> '{}'::jsonb
        THEN %(payload)s || upload_pipeline.seconds_since_last_event(moved.document_id) ELSE '{}' END
FROM moved, unnest(%(stages)s::text[]) WITH ORDINALITY AS passed (stage, position),
    set_config('synchronous_commit', 'off', true)
ORDER BY passed.position
RETURNING payload;

-- note_event
-- Adds to the history of a held job where it stands; nothing where the claim is lost.
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id, payload)
SELECT document_id, job_id, user_id, version, stage, state, claimed_by, claimed_by,
    %(payload)s || upload_pipeline.seconds_since_last_event(document_id)
FROM upload_pipeline.upload_jobs, set_config('synchronous_commit', 'off', true)
WHERE job_id = %(job_id)s AND claimed_by = %(claim)s AND state = 'working' AND stage = %(stage)s
RETURNING payload;

-- hold_claim
-- Locks a held job at `stage` until the transaction ends.
SELECT 1
FROM upload_pipeline.upload_jobs
WHERE job_id = %(job_id)s AND claimed_by = %(claim)s AND state = 'working' AND stage = %(stage)s
FOR UPDATE;

-- finish_job
-- The end of a held job: embedded/done, with its event.
WITH finished AS (
    UPDATE upload_pipeline.upload_jobs
    SET stage = 'embedded', state = 'done', claimed_by = NULL, lease_expires_at = NULL, error_code = NULL,
        error_message = NULL, error_hint = NULL, finished_at = now(), crashes = 0,
        reported_at = CASE WHEN %(reported)s THEN now() END
    WHERE job_id = %(job_id)s AND claimed_by = %(claim)s AND state = 'working' AND stage = 'embedding'
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id, payload)
SELECT document_id, job_id, user_id, version, stage, state, %(claim)s, %(claim)s,
    %(payload)s || upload_pipeline.seconds_since_last_event(document_id)
FROM finished
RETURNING payload;

-- settle_job
-- What became of a held job that failed: retryable at its time, or a dead letter.
WITH settled AS (
    UPDATE upload_pipeline.upload_jobs
    SET state = %(state)s, attempts = attempts + %(counts)s, claimed_by = NULL, lease_expires_at = NULL,
        next_retry_at = %(next_retry_at)s, error_code = %(code)s, error_message = %(message)s, error_hint = %(hint)s,
        reported_at = CASE WHEN %(reported)s THEN now() END
    WHERE job_id = %(job_id)s AND claimed_by = %(claim)s AND state = 'working'
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id, code)
SELECT document_id, job_id, user_id, version, stage, state, %(claim)s, %(claim)s, error_code FROM settled;

-- release_jobs
-- Gives what `claim` holds back to the queue, all of it or one document.
WITH released AS (
    UPDATE upload_pipeline.upload_jobs
    SET state = 'queued', claimed_by = NULL, lease_expires_at = NULL
    WHERE state = 'working' AND claimed_by = %(claim)s
        AND (%(document_id)s::uuid IS NULL OR document_id = %(document_id)s)
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
SELECT document_id, job_id, user_id, version, stage, state, %(claim)s, %(claim)s FROM released;

-- reclaim_jobs
-- Expired leases return to the queue; whoever's worker died `worst` times while it worked on it is a dead letter.
WITH expired AS (
    SELECT job_id, crashes + begun::integer AS crashes
    FROM upload_pipeline.upload_jobs
    WHERE state = 'working' AND lease_expires_at < now()
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
SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, %(correlation_id)s,
    CASE WHEN state = 'deadletter' THEN error_code END
FROM reclaimed;

-- replay_jobs
-- Dead letters and waiting retries among these are queued again, at their stage.
WITH replayed AS (
    UPDATE upload_pipeline.upload_jobs
    SET state = 'queued', attempts = 0, crashes = 0, next_retry_at = NULL, error_code = NULL, error_message = NULL,
        error_hint = NULL, reported_at = NULL, queued_at = now()
    WHERE state IN ('deadletter', 'retryable') AND document_id = ANY(%(document_ids)s)
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, %(correlation_id)s FROM replayed
RETURNING document_id;

-- refresh_jobs
-- These documents are queued again where they are finished.
WITH finished AS (
    SELECT job_id
    FROM upload_pipeline.upload_jobs
    WHERE document_id = ANY(%(document_ids)s) AND state = 'done'
    FOR UPDATE SKIP LOCKED
), refreshed AS (
    UPDATE upload_pipeline.upload_jobs AS job
    SET stage = 'queued', state = 'queued', queued_at = now(), finished_at = NULL, reported_at = NULL
    FROM finished
    WHERE job.job_id = finished.job_id
    RETURNING job.*
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, %(correlation_id)s FROM refreshed
RETURNING document_id;

-- count_waiting
-- How many jobs could be claimed now, counted up to `limit`.
SELECT LEAST(COALESCE(sum(share), 0), %(limit)s) AS count
FROM upload_pipeline.turns('00000000-0000-0000-0000-000000000000', %(limit)s, false, %(per_user)s);

-- any_unfinished
-- Whether a job is queued, worked on or waiting for a retry.
SELECT count(*) > 0 AS unfinished
FROM (
    (
        SELECT
        FROM upload_pipeline.upload_jobs
        WHERE state IN ('queued', 'retryable')
        ORDER BY user_id, priority DESC, queued_at, job_id
        LIMIT 1
    )
    UNION ALL
    (SELECT FROM upload_pipeline.upload_jobs WHERE state = 'working' ORDER BY user_id LIMIT 1)
) AS found;

-- holders
-- The claims with a lease that has not expired.
SELECT DISTINCT claimed_by
FROM upload_pipeline.upload_jobs
WHERE state = 'working' AND lease_expires_at > now();

-- count_jobs
-- Jobs by stage and state.
SELECT stage, state, count(*) AS jobs
FROM upload_pipeline.upload_jobs
GROUP BY stage, state
ORDER BY stage, state;

-- count_states
-- These documents' jobs by state.
SELECT state, count(*) AS jobs
FROM upload_pipeline.upload_jobs
WHERE document_id = ANY(%(document_ids)s)
GROUP BY state;

-- unreported_outcomes
-- Finished jobs that Dagster has not been told of, locked, with what their assets' last stages left in the history.
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
        AND event.stage IN ('parse_validated', 'chunks_buffered', 'embedding', 'embedded')
        AND event.payload <> '{}') AS payloads
FROM unreported;

-- mark_reported
-- Dagster knows these outcomes.
UPDATE upload_pipeline.upload_jobs SET reported_at = now() WHERE job_id = ANY(%(job_ids)s);

-- report_dead_letters
-- Up to `limit` dead letters that Dagster has not been told of; it is about to be.
WITH unreported AS (
    SELECT job_id
    FROM upload_pipeline.upload_jobs
    WHERE state = 'deadletter' AND reported_at IS NULL
    ORDER BY job_id
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
)
UPDATE upload_pipeline.upload_jobs AS job
SET reported_at = now()
FROM unreported
WHERE job.job_id = unreported.job_id
RETURNING job.document_id;

-- job_status
-- Where one document stands.
SELECT job.document_id, job.job_id, job.user_id, job.version, document.live_version, job.stage, job.state,
    job.attempts, job.crashes, job.claimed_by, job.lease_expires_at, job.next_retry_at, job.error_code,
    job.error_message, job.error_hint, job.finished_at,
    (SELECT count(*) FROM upload_pipeline.document_chunks AS chunk
     WHERE chunk.document_id = job.document_id) AS chunks
FROM upload_pipeline.upload_jobs AS job
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE job.document_id = %(document_id)s;

-- job_history
-- What happened to a document, oldest first.
SELECT occurred_at, version, stage, state, actor, correlation_id, code, payload
FROM upload_pipeline.events
WHERE document_id = %(document_id)s
ORDER BY event_id;
