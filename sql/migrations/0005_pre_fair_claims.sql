-- Claims go round between users, by priority within each.
ALTER TABLE upload_pipeline.upload_jobs
    ADD COLUMN priority smallint NOT NULL DEFAULT 0 CHECK (priority BETWEEN -100 AND 100);

-- In the order of claims; the last column so that retries whose time has not come are passed over within the index.
DROP INDEX upload_pipeline.upload_jobs_claimable;
CREATE INDEX upload_jobs_claimable ON upload_pipeline.upload_jobs
    (user_id, priority DESC, queued_at, job_id, (COALESCE(next_retry_at, '-infinity')))
    WHERE state IN ('queued', 'retryable');
DROP INDEX upload_pipeline.upload_jobs_working;
CREATE INDEX upload_jobs_working ON upload_pipeline.upload_jobs (user_id) WHERE state = 'working';

-- Whose turn it is: the users with claimable jobs in the order of their ids, from after `after` round to it, with each
-- one's share of the next `most` claims. More users than that takes stand by, for where others hold the jobs.
CREATE FUNCTION upload_pipeline.turns(after uuid, most integer, retries_only boolean, per_user integer)
RETURNS TABLE (user_id uuid, place integer, share integer)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH RECURSIVE claimable AS NOT MATERIALIZED (
        SELECT job.user_id
        FROM upload_pipeline.upload_jobs AS job
        WHERE job.state IN ('queued', 'retryable') AND COALESCE(job.next_retry_at, '-infinity')
            BETWEEN CASE WHEN retries_only THEN timestamptz 'epoch' ELSE '-infinity' END AND now()
    ), visits (user_id, last_user, place, room) AS (
        SELECT after, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid, 0, 0
        UNION ALL
        -- From user to user by the index, never from job to job. OFFSET 0: what stands before it is evaluated once.
        SELECT next.user_id, CASE WHEN next.user_id > after THEN visits.last_user ELSE after END,
            visits.place + (own.room > 0)::integer, own.room
        FROM visits
        CROSS JOIN LATERAL (
            SELECT COALESCE(
                (SELECT job.user_id FROM claimable AS job
                 WHERE job.user_id > visits.user_id AND job.user_id <= visits.last_user ORDER BY 1 LIMIT 1),
                (SELECT job.user_id FROM claimable AS job
                 WHERE job.user_id <= after AND visits.last_user > after ORDER BY 1 LIMIT 1)
            ) AS user_id
            OFFSET 0
        ) AS next
        CROSS JOIN LATERAL (
            SELECT CASE WHEN per_user IS NULL THEN most ELSE per_user - (
                SELECT count(*)
                FROM upload_pipeline.upload_jobs AS job
                WHERE job.state = 'working' AND job.user_id = next.user_id
            )::integer END AS room
            OFFSET 0
        ) AS own
        WHERE visits.place < 2 * most AND next.user_id IS NOT NULL
    ), waiting AS (
        -- One row per job and no more than can be shared: the others take one each at least.
        SELECT visits.user_id, visits.place, turn
        FROM visits
        CROSS JOIN LATERAL generate_series(1, (
            SELECT count(*)
            FROM (
                SELECT
                FROM claimable AS job
                WHERE job.user_id = visits.user_id
                LIMIT LEAST(visits.room, GREATEST(1, most + 1 - (SELECT max(place) FROM visits)))
            ) AS job
        )) AS turn
        WHERE visits.room > 0
    )
    SELECT ranked.user_id, ranked.place, GREATEST(1, count(*) FILTER (WHERE ranked.rank <= most))::integer
    FROM (SELECT waiting.*, row_number() OVER (ORDER BY turn, waiting.place) AS rank FROM waiting) AS ranked
    GROUP BY ranked.user_id, ranked.place
    ORDER BY ranked.place;
END;
