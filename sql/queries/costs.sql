-- lock_provider
-- Lock and return what all workers share before they call a provider. The lock lasts until the transaction ends, or
-- until the worker has stalled for too long.
SELECT requests_booked_until, tokens_booked_until, open_until, clock_timestamp() AS now,
    set_config('idle_in_transaction_session_timeout', %(longest_hold)s, true)
FROM upload_pipeline.paid_services
WHERE service = %(provider)s
FOR NO KEY UPDATE;

-- add_provider
-- Add a row for what all workers share before they call a provider, unless there is one.
INSERT INTO upload_pipeline.paid_services (service) VALUES (%(provider)s) ON CONFLICT DO NOTHING;

-- begin_call
-- Book a call's turn, reserve its estimate and open its row in the ledger. Return what is then taken of each budget.
WITH booked AS (
    UPDATE upload_pipeline.paid_services
    SET requests_booked_until = %(requests_booked_until)s, tokens_booked_until = %(tokens_booked_until)s,
        open_until = %(open_until)s
    WHERE service = %(provider)s
), begun AS (
    INSERT INTO upload_pipeline.paid_calls (service, user_id, document_id, estimated_micro_usd, started_at, expires_at)
    VALUES (%(provider)s, %(user_id)s, %(document_id)s, %(micro_usd)s, %(now)s, %(expires_at)s)
    RETURNING call_id, user_id, document_id, started_at, estimated_micro_usd
), reserved AS (
    INSERT INTO upload_pipeline.spending AS taken (budget, subject, day, micro_usd)
    SELECT budget, subject, day, estimated_micro_usd
    FROM begun, upload_pipeline.budgets_of(user_id, document_id, started_at)
    WHERE estimated_micro_usd > 0
    ORDER BY budget, subject, day
    ON CONFLICT (budget, subject, day) DO UPDATE SET micro_usd = taken.micro_usd + excluded.micro_usd
    RETURNING budget, micro_usd
)
SELECT call_id, (SELECT coalesce(jsonb_object_agg(budget, micro_usd), '{}') FROM reserved) AS taken
FROM begun;

-- settle_call
-- Close a call's row in the ledger; the budgets then hold its cost instead of its reservation.
WITH open AS (
    SELECT call_id, CASE WHEN outcome = 'under_way' THEN estimated_micro_usd ELSE 0 END AS reserved
    FROM upload_pipeline.paid_calls
    WHERE call_id = %(call_id)s
    FOR UPDATE
), settled AS (
    UPDATE upload_pipeline.paid_calls AS call
    SET outcome = %(outcome)s, tokens = %(tokens)s, pages = %(pages)s, credits = %(credits)s,
        micro_usd = %(micro_usd)s, settled_at = clock_timestamp(), request_id = CASE WHEN NOT EXISTS (
            SELECT FROM upload_pipeline.deleted_documents WHERE document_id = call.document_id
        ) THEN %(request_id)s END
    FROM open
    WHERE call.call_id = open.call_id
    RETURNING call.user_id, call.document_id, call.started_at, call.micro_usd - open.reserved AS correction
)
INSERT INTO upload_pipeline.spending AS taken (budget, subject, day, micro_usd)
SELECT budget, subject, day, correction
FROM settled, upload_pipeline.budgets_of(user_id, document_id, started_at)
WHERE correction <> 0
ORDER BY budget, subject, day
ON CONFLICT (budget, subject, day) DO UPDATE SET micro_usd = taken.micro_usd + excluded.micro_usd;

-- release_abandoned
-- Release the reservations of workers that never came back, and return how many calls that were.
WITH lapsed AS (
    SELECT call_id
    FROM upload_pipeline.paid_calls
    WHERE outcome = 'under_way' AND expires_at < clock_timestamp()
    FOR UPDATE SKIP LOCKED
), abandoned AS (
    UPDATE upload_pipeline.paid_calls AS call
    SET outcome = 'abandoned', settled_at = clock_timestamp()
    FROM lapsed
    WHERE call.call_id = lapsed.call_id
    RETURNING call.user_id, call.document_id, call.started_at, call.estimated_micro_usd
), released AS (
    INSERT INTO upload_pipeline.spending AS taken (budget, subject, day, micro_usd)
    SELECT budget, subject, day, -sum(estimated_micro_usd)
    FROM abandoned, upload_pipeline.budgets_of(user_id, document_id, started_at)
    GROUP BY budget, subject, day
    ORDER BY budget, subject, day
    ON CONFLICT (budget, subject, day) DO UPDATE SET micro_usd = taken.micro_usd + excluded.micro_usd
)
SELECT count(*) FROM abandoned;

-- recent_outcomes
-- Return how the provider's last calls ended, newest first: within the window and since its breaker last closed.
SELECT call.outcome
FROM upload_pipeline.paid_calls AS call
JOIN upload_pipeline.paid_services AS guarded USING (service)
WHERE call.service = %(provider)s AND call.outcome IN ('succeeded', 'failed')
    AND call.settled_at > greatest(guarded.closed_at, clock_timestamp() - %(window)s)
ORDER BY call.settled_at DESC
LIMIT %(limit)s;

-- open_breaker
-- Keep all workers from calling the provider for a while; only its own probe moves an open breaker.
UPDATE upload_pipeline.paid_services
SET open_until = clock_timestamp() + %(duration)s
WHERE service = %(provider)s AND (open_until IS NULL OR %(probe)s);

-- close_breaker
-- Close the breaker of a provider that works again.
UPDATE upload_pipeline.paid_services
SET open_until = NULL, closed_at = clock_timestamp()
WHERE service = %(provider)s;

-- paused_providers
-- Return the providers that no worker may call now.
SELECT service AS provider FROM upload_pipeline.paid_services WHERE open_until > clock_timestamp();

-- sum_costs
-- Sum what was used per provider and, if wanted, by UTC day and by user; failed calls without a bill do not count.
SELECT service AS provider, CASE WHEN %(by_day)s THEN (started_at AT TIME ZONE 'UTC')::date END AS day,
    CASE WHEN %(by_user)s THEN user_id END AS user_id, count(*) AS calls, sum(tokens)::bigint AS tokens,
    sum(pages)::bigint AS pages, sum(credits)::bigint AS credits, sum(micro_usd)::bigint AS micro_usd
FROM upload_pipeline.paid_calls
WHERE outcome = 'succeeded' OR tokens + pages + credits + micro_usd > 0
GROUP BY 1, 2, 3
ORDER BY 2, 3, 1;

-- unavailable_providers
-- Return those of these providers that no call would get through to now, or only after a long wait for its turn.
SELECT service
FROM upload_pipeline.paid_services
WHERE service = ANY(%(providers)s)
    AND (open_until > clock_timestamp()
        OR GREATEST(requests_booked_until, tokens_booked_until) > clock_timestamp() + %(next_turn)s);
