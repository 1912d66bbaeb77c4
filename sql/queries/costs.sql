-- lock_provider
-- Lock and return what all workers share before they call a provider. The lock lasts until the transaction ends, or
-- until the worker has stalled for too long.
SELECT requests_booked_until, tokens_booked_until, open_until, clock_timestamp() AS now,
    EXISTS (SELECT FROM upload_pipeline.pauses WHERE provider = service) AS is_paused,
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
    INSERT INTO upload_pipeline.paid_calls (
        service, user_id, document_id, estimated_tokens, estimated_pages, estimated_credits, estimated_micro_usd,
        started_at, expires_at)
    VALUES (
        %(provider)s, %(user_id)s, %(document_id)s, %(tokens)s, %(pages)s, %(credits)s, %(micro_usd)s,
        %(now)s, %(expires_at)s)
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
-- Close a call's row in the ledger; the budgets then hold its cost instead of its reservation. They keep the reservation
-- of a doubtful call.
WITH open AS (
    SELECT call_id, upload_pipeline.taken_by(call) AS held
    FROM upload_pipeline.paid_calls AS call
    WHERE call_id = %(call_id)s
    FOR UPDATE
), settled AS (
    UPDATE upload_pipeline.paid_calls AS call
    SET outcome = %(outcome)s, doubtful = %(doubtful)s, tokens = %(tokens)s, pages = %(pages)s,
        credits = %(credits)s, micro_usd = %(micro_usd)s, settled_at = clock_timestamp(),
        request_id = CASE WHEN NOT EXISTS (
            SELECT FROM upload_pipeline.deleted_documents WHERE document_id = call.document_id
        ) THEN %(request_id)s END
    FROM open
    WHERE call.call_id = open.call_id
    RETURNING call.user_id, call.document_id, call.started_at,
        upload_pipeline.taken_by(call) - open.held AS correction
)
INSERT INTO upload_pipeline.spending AS taken (budget, subject, day, micro_usd)
SELECT budget, subject, day, correction
FROM settled, upload_pipeline.budgets_of(user_id, document_id, started_at)
WHERE correction <> 0
ORDER BY budget, subject, day
ON CONFLICT (budget, subject, day) DO UPDATE SET micro_usd = taken.micro_usd + excluded.micro_usd;

-- bill_call
-- Replace what a call is taken to have cost, in credits and money, by what the provider bills. What nobody has settled is
-- settled by that, with the pages that were expected.
WITH open AS (
    SELECT call_id, upload_pipeline.taken_by(call) AS held, upload_pipeline.is_uncertain(call) AS was_uncertain
    FROM upload_pipeline.paid_calls AS call
    WHERE call_id = %(call_id)s
    FOR UPDATE
), billed AS (
    UPDATE upload_pipeline.paid_calls AS call
    SET outcome = CASE WHEN was_uncertain OR %(micro_usd)s > 0 THEN 'succeeded' ELSE outcome END, doubtful = false,
        credits = %(credits)s, micro_usd = %(micro_usd)s,
        pages = CASE WHEN was_uncertain THEN estimated_pages ELSE pages END,
        settled_at = coalesce(settled_at, clock_timestamp())
    FROM open
    WHERE call.call_id = open.call_id
    RETURNING call.user_id, call.document_id, call.started_at,
        upload_pipeline.taken_by(call) - open.held AS correction
)
INSERT INTO upload_pipeline.spending AS taken (budget, subject, day, micro_usd)
SELECT budget, subject, day, correction
FROM billed, upload_pipeline.budgets_of(user_id, document_id, started_at)
WHERE correction <> 0
ORDER BY budget, subject, day
ON CONFLICT (budget, subject, day) DO UPDATE SET micro_usd = taken.micro_usd + excluded.micro_usd;

-- expected_of_call
-- Return what a call is taken to have used: what was settled or, as long as nobody knows that, what was estimated.
SELECT service AS provider,
    CASE WHEN upload_pipeline.is_uncertain(call) THEN estimated_credits ELSE credits END AS expected
FROM upload_pipeline.paid_calls AS call
WHERE call_id = %(call_id)s;

-- release_call
-- Settle a call by nothing if nobody has settled it: it has certainly cost nothing.
WITH open AS (
    SELECT call_id, upload_pipeline.taken_by(call) AS held
    FROM upload_pipeline.paid_calls AS call
    WHERE call_id = %(call_id)s AND upload_pipeline.is_uncertain(call)
    FOR UPDATE
), released AS (
    UPDATE upload_pipeline.paid_calls AS call
    SET outcome = CASE WHEN outcome IN ('under_way', 'abandoned') THEN 'inconclusive' ELSE outcome END, doubtful = false,
        settled_at = coalesce(settled_at, clock_timestamp())
    FROM open
    WHERE call.call_id = open.call_id
    RETURNING call.user_id, call.document_id, call.started_at,
        upload_pipeline.taken_by(call) - open.held AS correction
)
INSERT INTO upload_pipeline.spending AS taken (budget, subject, day, micro_usd)
SELECT budget, subject, day, correction
FROM released, upload_pipeline.budgets_of(user_id, document_id, started_at)
WHERE correction <> 0
ORDER BY budget, subject, day
ON CONFLICT (budget, subject, day) DO UPDATE SET micro_usd = taken.micro_usd + excluded.micro_usd;

-- recent_outcomes
-- Return how the provider's last calls ended, newest first: within the window and since its breaker last closed.
SELECT call.outcome
FROM upload_pipeline.paid_calls AS call
JOIN upload_pipeline.paid_services AS guarded USING (service)
WHERE call.service = %(provider)s AND call.outcome IN ('succeeded', 'failed')
    AND call.settled_at > greatest(guarded.closed_at, clock_timestamp() - %(window)s)
ORDER BY call.settled_at DESC
LIMIT %(limit)s;

-- serves_others
-- Return whether the provider has lately served anything but this document.
SELECT count(*) > 0 AS served
FROM (
    SELECT
    FROM upload_pipeline.paid_calls
    WHERE service = %(provider)s AND settled_at > clock_timestamp() - %(meanwhile)s::interval AND outcome = 'succeeded'
        AND document_id IS DISTINCT FROM %(document_id)s
    ORDER BY settled_at DESC
    LIMIT 1
) AS served;

-- holds_claim
-- Return whether the document is held under this fence, by a lease that has not expired.
SELECT EXISTS (
    SELECT
    FROM upload_pipeline.upload_jobs
    WHERE document_id = %(document_id)s AND fence = %(fence)s AND state = 'working'
        AND lease_expires_at > clock_timestamp()
) AS held;

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
-- Sum what was used per provider and, if wanted, by UTC day and by user; failed calls without a bill do not count. Calls
-- that nobody has settled, and doubtful ones, are uncertain: they used at most what was estimated.
SELECT service AS provider, CASE WHEN %(by_day)s THEN (started_at AT TIME ZONE 'UTC')::date END AS day,
    CASE WHEN %(by_user)s THEN user_id END AS user_id, count(*) FILTER (WHERE NOT is_uncertain) AS calls,
    sum(tokens)::bigint AS tokens, sum(pages)::bigint AS pages, sum(credits)::bigint AS credits,
    sum(micro_usd)::bigint AS micro_usd, count(*) FILTER (WHERE is_uncertain) AS uncertain_calls,
    coalesce(sum(estimated_tokens) FILTER (WHERE is_uncertain), 0)::bigint AS uncertain_tokens,
    coalesce(sum(estimated_pages) FILTER (WHERE is_uncertain), 0)::bigint AS uncertain_pages,
    coalesce(sum(estimated_credits) FILTER (WHERE is_uncertain), 0)::bigint AS uncertain_credits,
    coalesce(sum(estimated_micro_usd) FILTER (WHERE is_uncertain), 0)::bigint AS uncertain_micro_usd
FROM upload_pipeline.paid_calls AS call
CROSS JOIN LATERAL (SELECT upload_pipeline.is_uncertain(call)) AS state
WHERE outcome = 'succeeded' OR is_uncertain OR tokens + pages + credits + micro_usd > 0
GROUP BY 1, 2, 3
ORDER BY 2, 3, 1;

-- unavailable_providers
-- Return those of these providers that no call would get through to now, or only after a long wait for its turn.
SELECT service
FROM upload_pipeline.paid_services
WHERE service = ANY(%(providers)s)
    AND (open_until > clock_timestamp()
        OR EXISTS (SELECT FROM upload_pipeline.pauses WHERE provider = service)
        OR GREATEST(requests_booked_until, tokens_booked_until) > clock_timestamp() + %(next_turn)s);

-- lock_budgets
-- Keep others from changing what is taken of the budgets, until the transaction ends.
LOCK TABLE upload_pipeline.spending IN SHARE ROW EXCLUSIVE MODE;

-- recount_budgets
-- Set what is taken of each budget to what its calls in the ledger reserve, cost or may have cost.
INSERT INTO upload_pipeline.spending AS taken (budget, subject, day, micro_usd)
SELECT budget, subject, day, COALESCE(cost.micro_usd, 0)
FROM upload_pipeline.taken_by_ledger() AS cost
FULL JOIN upload_pipeline.spending AS present USING (budget, subject, day)
WHERE COALESCE(cost.micro_usd, 0) <> COALESCE(present.micro_usd, 0)
ON CONFLICT (budget, subject, day) DO UPDATE SET micro_usd = excluded.micro_usd;
