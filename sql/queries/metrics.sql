-- history_ends
-- Return the id of the newest event that everybody sees, and the time in microseconds.
SELECT coalesce(max(event_id), 0) AS event_id, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now
FROM upload_pipeline.events;

-- lock_totals
-- Lock and return how far each source is counted, unless somebody else is counting.
SELECT source, position FROM upload_pipeline.totals_until ORDER BY source FOR UPDATE SKIP LOCKED;

-- begin_totals
-- Count the calls of providers that were added since.
INSERT INTO upload_pipeline.totals_until (source, position)
SELECT service, 0 FROM upload_pipeline.paid_services
ON CONFLICT DO NOTHING;

-- count_events
-- Add the events behind one of them and up to another to the totals.
WITH event AS MATERIALIZED (
    SELECT event_id, stage, state, code, job_id, document_id, occurred_at,
        lag(stage) OVER job AS stage_before, lag(state) OVER job AS state_before, lag(occurred_at) OVER job AS before
    FROM upload_pipeline.events
    WHERE event_id > %(after_event)s AND event_id <= %(last_event)s
    WINDOW job AS (PARTITION BY job_id ORDER BY event_id)
), finished AS (
    SELECT extract(epoch FROM event.occurred_at - job.queued_at)::double precision AS seconds
    FROM event
    JOIN upload_pipeline.upload_jobs AS job USING (job_id)
    WHERE event.state = 'done' AND job.queued_at <= event.occurred_at
), stay AS (
    SELECT CASE event.state WHEN 'done' THEN event.stage ELSE coalesce(event.stage_before, earlier.stage) END AS stage,
        greatest(0, extract(
            epoch FROM event.occurred_at - coalesce(event.before, earlier.occurred_at)))::double precision AS seconds
    FROM event
    LEFT JOIN LATERAL (
        SELECT stage, state, occurred_at
        FROM upload_pipeline.events AS past
        WHERE event.before IS NULL AND past.document_id = event.document_id AND past.event_id < event.event_id
        ORDER BY past.event_id DESC
        LIMIT 1
    ) AS earlier ON true
    -- A document waits at the first stage, and is worked on at the others.
    WHERE coalesce(event.state_before, earlier.state)
        = CASE coalesce(event.stage_before, earlier.stage) WHEN 'queued' THEN 'queued' ELSE 'working' END
), counted (metric, labels, value) AS (
    SELECT 'ingest_documents_queued_total', '{}'::text[], count(*) FROM event WHERE stage = 'queued' AND state = 'queued'
    UNION ALL
    SELECT 'ingest_documents_finished_total', '{}', count(*) FROM event WHERE state = 'done'
    UNION ALL
    SELECT 'ingest_failures_total', ARRAY[stage, code], count(*)
    FROM event WHERE code IS NOT NULL AND state IN ('retryable', 'deadletter') GROUP BY stage, code
    UNION ALL
    SELECT 'ingest_retries_total', ARRAY[code], count(*) FROM event WHERE code IS NOT NULL AND state = 'retryable' GROUP BY code
    UNION ALL
    SELECT 'ingest_dead_letters_total', ARRAY[code], count(*)
    FROM event WHERE code IS NOT NULL AND state = 'deadletter' GROUP BY code
    UNION ALL
    SELECT 'ingest_document_seconds', ARRAY[(%(way_names)s::text[])[width_bucket(seconds, %(way_bounds)s::double precision[]) + 1]],
        count(*)
    FROM finished GROUP BY 2
    UNION ALL
    SELECT 'ingest_document_seconds', '{sum}', sum(seconds) FROM finished HAVING count(*) > 0
    UNION ALL
    SELECT 'ingest_stage_seconds',
        ARRAY[stage, (%(step_names)s::text[])[width_bucket(seconds, %(step_bounds)s::double precision[]) + 1]], count(*)
    FROM stay GROUP BY 2
    UNION ALL
    SELECT 'ingest_stage_seconds', ARRAY[stage, 'sum'], sum(seconds) FROM stay GROUP BY stage
), moved AS (
    UPDATE upload_pipeline.totals_until SET position = %(last_event)s WHERE source = 'events'
)
INSERT INTO upload_pipeline.totals AS total (metric, labels, value)
SELECT metric, labels, value FROM counted
ON CONFLICT (metric, labels) DO UPDATE SET value = total.value + excluded.value;

-- count_calls
-- Add a provider's calls that were settled after a time and up to another to the totals, but no more than the first
-- `limit` and those of the same moment.
WITH call AS MATERIALIZED (
    SELECT outcome, tokens, pages, credits, micro_usd, settled_at,
        extract(epoch FROM settled_at - started_at)::double precision AS seconds
    FROM upload_pipeline.paid_calls
    WHERE service = %(provider)s
        AND settled_at > timestamptz 'epoch' + make_interval(secs => %(after_time)s::bigint / 1000000.0)
        AND settled_at <= timestamptz 'epoch' + make_interval(secs => %(until)s::bigint / 1000000.0)
    ORDER BY settled_at
    FETCH FIRST %(limit)s ROWS WITH TIES
), counted (metric, labels, value) AS (
    SELECT 'ingest_provider_calls_total', ARRAY[%(provider)s, outcome], count(*) FROM call GROUP BY outcome
    UNION ALL
    SELECT metric, ARRAY[%(provider)s], sum(used)
    FROM call
    CROSS JOIN LATERAL (VALUES
        ('ingest_provider_tokens_total', tokens::double precision), ('ingest_provider_pages_total', pages),
        ('ingest_provider_credits_total', credits), ('ingest_provider_cost_usd_total', micro_usd / 1000000.0)
    ) AS used (metric, used)
    GROUP BY metric
    UNION ALL
    SELECT 'ingest_provider_call_seconds', ARRAY[%(provider)s,
        (%(call_names)s::text[])[width_bucket(seconds, %(call_bounds)s::double precision[]) + 1]], count(*)
    FROM call GROUP BY 2
    UNION ALL
    SELECT 'ingest_provider_call_seconds', ARRAY[%(provider)s, 'sum'], sum(seconds) FROM call HAVING count(*) > 0
), moved AS (
    UPDATE upload_pipeline.totals_until
    SET position = CASE WHEN (SELECT count(*) FROM call) >= %(limit)s
        THEN (SELECT extract(epoch FROM max(settled_at)) * 1000000 FROM call) ELSE %(until)s END
    WHERE source = %(provider)s
)
INSERT INTO upload_pipeline.totals AS total (metric, labels, value)
SELECT metric, labels, value FROM counted
ON CONFLICT (metric, labels) DO UPDATE SET value = total.value + excluded.value;

-- read_totals
-- Return what was counted, and how many events were not.
SELECT metric, labels, value FROM upload_pipeline.totals
UNION ALL
SELECT 'ingest_history_behind_events', '{}', greatest(0, %(last_event)s - position)
FROM upload_pipeline.totals_until
WHERE source = 'events';

-- measure_queue
-- Measure what waits, what is worked on and what has failed. What is done is counted in small tables, and estimated in
-- others.
WITH waiting AS (
    SELECT stage, state, count(*) AS jobs, min(queued_at) AS oldest,
        count(*) FILTER (WHERE coalesce(next_retry_at, '-infinity') <= now() AND user_id <> ALL(ARRAY(
            SELECT pauses.user_id FROM upload_pipeline.pauses WHERE pauses.user_id IS NOT NULL))) AS claimable
    FROM upload_pipeline.upload_jobs
    WHERE state IN ('queued', 'retryable')
    GROUP BY stage, state
), working AS (
    SELECT stage, claimed_by, lease_expires_at > now() AS alive, count(*) AS jobs, min(queued_at) AS oldest
    FROM upload_pipeline.upload_jobs
    WHERE state = 'working'
    GROUP BY stage, claimed_by, alive
), failed AS (
    SELECT stage, state, error_code, count(*) AS jobs
    FROM upload_pipeline.upload_jobs
    WHERE state IN ('retryable', 'deadletter')
    GROUP BY stage, state, error_code
), unfinished AS (
    SELECT stage, state, jobs, oldest FROM waiting
    UNION ALL
    SELECT stage, 'working', sum(jobs), min(oldest) FROM working GROUP BY stage
)
SELECT 'ingest_jobs' AS metric, ARRAY[stage, state] AS labels, jobs::double precision AS value FROM unfinished
UNION ALL
SELECT 'ingest_jobs', ARRAY[stage, state], sum(jobs) FROM failed WHERE state = 'deadletter' GROUP BY stage, state
UNION ALL
SELECT 'ingest_jobs', '{embedded,done}', CASE
    WHEN pg_relation_size('upload_pipeline.upload_jobs') < 4000000
        THEN (SELECT count(*) FROM upload_pipeline.upload_jobs WHERE state = 'done')
    ELSE greatest(0, (SELECT reltuples FROM pg_class WHERE oid = 'upload_pipeline.upload_jobs'::regclass)
        - (SELECT coalesce(sum(jobs), 0) FROM unfinished)
        - (SELECT coalesce(sum(jobs), 0) FROM failed WHERE state = 'deadletter')) END
UNION ALL
SELECT 'ingest_oldest_job_age_seconds', ARRAY[stage], extract(epoch FROM now() - min(oldest))
FROM unfinished GROUP BY stage
UNION ALL
SELECT 'ingest_claimable_jobs', '{}', coalesce(sum(claimable), 0) FROM waiting
UNION ALL
SELECT CASE state WHEN 'deadletter' THEN 'ingest_dead_letters' ELSE 'ingest_retryable_jobs' END, ARRAY[error_code], sum(jobs)
FROM failed GROUP BY state, error_code
UNION ALL
SELECT 'ingest_leases', '{alive}', coalesce(sum(jobs) FILTER (WHERE alive), 0) FROM working
UNION ALL
SELECT 'ingest_leases', '{expired}', coalesce(sum(jobs) FILTER (WHERE NOT alive), 0) FROM working
UNION ALL
SELECT 'ingest_workers', '{}', count(DISTINCT claimed_by) FILTER (WHERE alive) FROM working;

-- measure_rest
-- Measure what is around the queue: deployments, providers, today's budget, sizes, recall.
SELECT 'ingest_instances' AS metric, '{}'::text[] AS labels, count(*)::double precision AS value
FROM upload_pipeline.instances WHERE lease_expires_at > now()
UNION ALL
SELECT 'ingest_drain_runs', '{}', coalesce(sum(drain_runs), 0)
FROM upload_pipeline.instances WHERE lease_expires_at > now()
UNION ALL
SELECT 'ingest_pauses', ARRAY[kind], pauses
FROM (
    SELECT count(*) FILTER (WHERE num_nonnulls(user_id, provider) = 0), count(user_id), count(provider)
    FROM upload_pipeline.pauses
) AS paused (everything, users, providers)
CROSS JOIN LATERAL (VALUES ('everything', everything), ('user', users), ('provider', providers)) AS told (kind, pauses)
UNION ALL
SELECT 'ingest_provider_breaker_open', ARRAY[service], (open_until IS NOT NULL)::integer
FROM upload_pipeline.paid_services
UNION ALL
SELECT 'ingest_provider_calls_under_way', ARRAY[service], (
    SELECT count(*) FROM upload_pipeline.paid_calls AS call
    WHERE call.service = guarded.service AND call.settled_at IS NULL AND call.expires_at > now())
FROM upload_pipeline.paid_services AS guarded
UNION ALL
SELECT 'ingest_budget_spent_usd', '{}', coalesce(sum(micro_usd), 0) / 1000000.0
FROM upload_pipeline.spending
WHERE budget = 'day' AND subject = '00000000-0000-0000-0000-000000000000' AND day = (now() AT TIME ZONE 'UTC')::date
UNION ALL
SELECT 'ingest_chunks', '{}', greatest(0, reltuples)
FROM pg_class WHERE oid = 'upload_pipeline.document_chunks'::regclass
UNION ALL
SELECT 'ingest_index_bytes', ARRAY[relname::text], pg_relation_size(indexrelid)
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
WHERE indrelid = 'upload_pipeline.document_chunks'::regclass
UNION ALL
SELECT 'ingest_index_bytes', '{document_chunks}', pg_table_size('upload_pipeline.document_chunks')
UNION ALL
SELECT 'ingest_database_bytes', '{}', pg_database_size(current_database())
UNION ALL
SELECT metric, ARRAY[embed_model || ' ' || embed_version], value
FROM upload_pipeline.recalls
CROSS JOIN LATERAL (VALUES
    ('ingest_index_recall_ratio', recall), ('ingest_index_recall_age_seconds', extract(epoch FROM now() - measured_at))
) AS told (metric, value);

-- record_recall
-- Remember the recall that was measured last.
INSERT INTO upload_pipeline.recalls AS known (embed_model, embed_version, recall)
VALUES (%(embed_model)s, %(embed_version)s, %(recall)s)
ON CONFLICT (embed_model, embed_version) DO UPDATE SET recall = excluded.recall, measured_at = now();

-- measure_dagster
-- Measure in Dagster's database how long ago its daemon and sensors were at work, and which sensors are on.
WITH sensor AS (
    SELECT instigator_body::jsonb #>> '{origin,job_name}' AS name, status, (
        SELECT timestamp FROM job_ticks WHERE job_ticks.selector_id = instigators.selector_id
        ORDER BY timestamp DESC LIMIT 1) AS ticked_at
    FROM instigators
)
SELECT 'ingest_daemon_heartbeat_age_seconds' AS metric, ARRAY[daemon_type::text] AS labels,
    greatest(0, extract(epoch FROM now() AT TIME ZONE 'UTC' - timestamp))::double precision AS value
FROM daemon_heartbeats
UNION ALL
SELECT 'ingest_sensor_on', ARRAY[name], max((status <> 'STOPPED')::integer) FROM sensor GROUP BY name
UNION ALL
SELECT 'ingest_sensor_tick_age_seconds', ARRAY[name],
    greatest(0, extract(epoch FROM now() AT TIME ZONE 'UTC' - max(ticked_at)))
FROM sensor WHERE ticked_at IS NOT NULL GROUP BY name;
