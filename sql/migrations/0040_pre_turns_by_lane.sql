-- Returns the users whose turn it is: those with claimable jobs, in the order of their ids, starting after `after` and
-- going round, each with a share of the next `most` claims. It returns twice as many users as needed, in case other
-- workers hold their jobs. Only jobs of the lane `wanted` count, unless it is null.
-- Each call is planned for its lane: whether it names one decides which index serves.
CREATE FUNCTION upload_pipeline.turns(
    after uuid, most integer, retries_only boolean, per_user integer, wanted text)
RETURNS TABLE (user_id uuid, place integer, share integer)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY WITH RECURSIVE claimable AS NOT MATERIALIZED (
        SELECT job.user_id
        FROM upload_pipeline.upload_jobs AS job
        WHERE (wanted IS NULL OR job.lane = wanted) AND job.state IN ('queued', 'retryable')
            AND COALESCE(job.next_retry_at, '-infinity')
            BETWEEN CASE WHEN retries_only THEN timestamptz 'epoch' ELSE '-infinity' END AND now()
    ), visits (user_id, last_user, place, room) AS (
        SELECT after, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid, 0, 0
        WHERE NOT EXISTS (SELECT FROM upload_pipeline.pauses WHERE num_nonnulls(pauses.user_id, provider) = 0)
        UNION ALL
        -- This goes from user to user by the index, never from job to job. OFFSET 0 has each subquery evaluated once.
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
            SELECT CASE
                WHEN EXISTS (SELECT FROM upload_pipeline.pauses WHERE pauses.user_id = next.user_id) THEN 0
                WHEN per_user IS NULL THEN most
                ELSE per_user - (
                SELECT count(*)
                FROM upload_pipeline.upload_jobs AS job
                WHERE job.state = 'working' AND job.user_id = next.user_id
            )::integer END AS room
            OFFSET 0
        ) AS own
        WHERE visits.place < 2 * most AND next.user_id IS NOT NULL
    ), waiting AS (
        -- One row per job, but no more than can be shared, since each of the others takes at least one.
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
$$;
REVOKE ALL ON FUNCTION upload_pipeline.turns(uuid, integer, boolean, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.turns(uuid, integer, boolean, integer, text) TO ingest_worker;
ALTER FUNCTION upload_pipeline.turns(uuid, integer, boolean, integer, text) OWNER TO ingest_owner;
