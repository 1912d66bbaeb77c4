-- documents_by_hour
-- Return how many documents became searchable in each hour of the last `window`.
SELECT date_trunc('hour', finished_at, 'UTC') AS hour, count(*) AS searchable
FROM upload_pipeline.upload_jobs
WHERE state = 'done' AND finished_at > now() - %(window)s::interval
GROUP BY hour
ORDER BY hour;

-- documents_by_day
-- Return what has become of the documents that were last queued on each UTC day, and how many users they are of. A
-- document is due once the promised time has passed, or earlier if it is finished.
SELECT (queued_at AT TIME ZONE 'UTC')::date AS day, count(*) AS queued, count(DISTINCT user_id) AS users,
    count(*) FILTER (WHERE state = 'done') AS searchable, count(*) FILTER (WHERE state = 'deadletter') AS dead_letters,
    count(*) FILTER (WHERE state = 'done' AND finished_at <= queued_at + %(promise)s::interval) AS in_time,
    count(*) FILTER (WHERE state IN ('done', 'deadletter') OR queued_at < now() - %(promise)s::interval) AS due
FROM upload_pipeline.upload_jobs
GROUP BY day
ORDER BY day;

-- growth_by_day
-- Return how many users and documents were new on each UTC day, of those that are there now.
SELECT (began_at AT TIME ZONE 'UTC')::date AS day, sum(users)::bigint AS users, sum(documents)::bigint AS documents
FROM (
    SELECT created_at AS began_at, 0 AS users, 1 AS documents FROM upload_pipeline.documents
    UNION ALL
    SELECT min(created_at), 1, 0 FROM upload_pipeline.documents GROUP BY user_id
) AS new
GROUP BY day
ORDER BY day;

-- past_work
-- Return how long the last attempts at the documents took that became searchable last, until they were committed, the
-- earliest first.
SELECT document.media_type, document.byte_size, work.began_at, greatest(work.ended_at, job.finished_at) AS ended_at
FROM (
    SELECT document_id, finished_at
    FROM upload_pipeline.upload_jobs
    WHERE state = 'done'
    ORDER BY finished_at DESC
    LIMIT %(limit)s
) AS job
JOIN upload_pipeline.documents AS document USING (document_id)
CROSS JOIN LATERAL (
    SELECT max(event_id) AS waited
    FROM upload_pipeline.events
    WHERE events.document_id = job.document_id AND state NOT IN ('working', 'done')
) AS last
CROSS JOIN LATERAL (
    -- A worker has claimed a document at `queued` some time before it begins with it.
    SELECT min(occurred_at) FILTER (WHERE stage <> 'queued') AS began_at, max(occurred_at) AS ended_at
    FROM upload_pipeline.events
    WHERE events.document_id = job.document_id AND event_id > last.waited
) AS work
WHERE work.began_at < greatest(work.ended_at, job.finished_at)
ORDER BY ended_at, work.began_at;

-- unfinished_work
-- Return how many documents of each type are unfinished, and their bytes.
SELECT document.media_type, count(*) AS documents, sum(document.byte_size)::bigint AS byte_size
FROM upload_pipeline.upload_jobs AS job
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE job.state IN ('queued', 'working', 'retryable')
GROUP BY document.media_type
ORDER BY document.media_type;
