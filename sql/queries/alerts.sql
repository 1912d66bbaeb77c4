-- conditions
-- Return all conditions that hold, or that people were told of.
SELECT code AS key, holds_since, now() - holds_since AS held, is_told
FROM upload_pipeline.alerts
WHERE holds_since IS NOT NULL OR is_told;

-- note_conditions
-- Note which conditions have begun to hold, and which have ended.
WITH begun AS (
    INSERT INTO upload_pipeline.alerts AS alert (code, holds_since)
    SELECT key, now() FROM unnest(%(begun)s::text[]) AS key ORDER BY key
    ON CONFLICT (code) DO UPDATE SET holds_since = coalesce(alert.holds_since, now())
)
UPDATE upload_pipeline.alerts SET holds_since = NULL WHERE code = ANY(%(ended)s::text[]) AND holds_since IS NOT NULL;

-- claim_alert
-- Claim the sending of an alert, unless one was sent within `pause`, or somebody else is sending it.
INSERT INTO upload_pipeline.alerts AS alert (code, claimed_until) VALUES (%(code)s, now() + %(hold)s::interval)
ON CONFLICT (code) DO UPDATE SET claimed_until = excluded.claimed_until
WHERE COALESCE(alert.last_sent_at, '-infinity') <= now() - %(pause)s::interval
    AND COALESCE(alert.claimed_until, '-infinity') < now()
RETURNING code;

-- settle_alert
-- Record that a claimed alert was sent, or that it was not.
UPDATE upload_pipeline.alerts
SET claimed_until = NULL, last_sent_at = CASE WHEN %(sent)s THEN now() ELSE last_sent_at END,
    is_told = is_told OR %(sent)s
WHERE code = %(code)s;

-- claim_clearing
-- Claim the telling that a condition has ended, unless somebody else has told it or is sending something about it.
UPDATE upload_pipeline.alerts SET claimed_until = now() + %(hold)s::interval
WHERE code = %(code)s AND is_told AND COALESCE(claimed_until, '-infinity') < now()
RETURNING code;

-- settle_clearing
-- Record that the end of a condition was told, or that it was not.
UPDATE upload_pipeline.alerts SET claimed_until = NULL, is_told = NOT %(sent)s WHERE code = %(code)s;

-- keep_reading
-- Keep a reading of the metrics, unless somebody has within this minute.
INSERT INTO upload_pipeline.readings (taken_at, metrics) VALUES (date_trunc('minute', now()), %(metrics)s)
ON CONFLICT DO NOTHING;

-- thin_readings
-- Delete readings that are too old, and most of those that are old.
DELETE FROM upload_pipeline.readings
WHERE taken_at < now() - %(at_all)s::interval
    OR (taken_at < now() - %(in_full)s::interval
        AND mod(extract(epoch FROM taken_at)::bigint, extract(epoch FROM %(sparse)s::interval)::bigint) <> 0);

-- first_readings
-- Return the first reading that is at most so old, for each of some ages.
SELECT wanted.age, reading.metrics
FROM unnest(%(ages)s::interval[]) AS wanted (age)
CROSS JOIN LATERAL (
    SELECT metrics FROM upload_pipeline.readings
    WHERE taken_at >= now() - wanted.age AND taken_at < date_trunc('minute', now())
    ORDER BY taken_at
    LIMIT 1
) AS reading;

-- peaks
-- Return the most workers, and the most documents that could be taken, that any reading of the last `age` held.
SELECT coalesce(max((metrics ->> 'ingest_workers')::double precision), 0)::integer AS workers,
    coalesce(max((metrics ->> 'ingest_claimable_jobs')::double precision), 0)::integer AS waiting
FROM upload_pipeline.readings
WHERE taken_at >= now() - %(age)s::interval;
