-- What outside services cost, and the guards that all workers share before they call one.

CREATE TABLE upload_pipeline.paid_services (
    service text PRIMARY KEY,
    -- Token buckets: each is booked until then; what lies ahead of now is missing from the bucket.
    requests_booked_until timestamptz NOT NULL DEFAULT 'epoch',
    tokens_booked_until timestamptz NOT NULL DEFAULT 'epoch',
    -- The circuit breaker: null when closed; from then on one call may probe, and moves it ahead while it does.
    open_until timestamptz,
    -- Failures before it last closed do not count.
    closed_at timestamptz NOT NULL DEFAULT 'epoch'
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0);
INSERT INTO upload_pipeline.paid_services (service) VALUES ('llamaparse'), ('openai');

-- The ledger: one row per call. Without foreign keys to what it was for, so that it outlives the documents.
CREATE TABLE upload_pipeline.paid_calls (
    call_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service text NOT NULL REFERENCES upload_pipeline.paid_services,
    user_id uuid NOT NULL,
    document_id uuid,
    outcome text NOT NULL DEFAULT 'under_way'
        CHECK (outcome IN ('under_way', 'succeeded', 'failed', 'inconclusive', 'abandoned')),
    -- What it reserves of the budgets while it is under way.
    estimated_micro_usd bigint NOT NULL CHECK (estimated_micro_usd >= 0),
    -- What it used.
    tokens bigint NOT NULL DEFAULT 0 CHECK (tokens >= 0),
    pages bigint NOT NULL DEFAULT 0 CHECK (pages >= 0),
    credits bigint NOT NULL DEFAULT 0 CHECK (credits >= 0),
    micro_usd bigint NOT NULL DEFAULT 0 CHECK (micro_usd >= 0),
    request_id text,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- When the reservation of a worker that never came back lapses.
    expires_at timestamptz NOT NULL,
    settled_at timestamptz,
    CONSTRAINT settled_has_its_time CHECK ((outcome = 'under_way') = (settled_at IS NULL))
);
CREATE INDEX paid_calls_settled ON upload_pipeline.paid_calls (service, settled_at);
CREATE INDEX paid_calls_under_way ON upload_pipeline.paid_calls (expires_at) WHERE outcome = 'under_way';

-- What is spent or reserved of each budget: of the deployment's day, of a user's day, of a document for ever.
CREATE TABLE upload_pipeline.spending (
    budget text NOT NULL CHECK (budget IN ('day', 'document', 'user')),
    subject uuid NOT NULL,
    day date NOT NULL,
    micro_usd bigint NOT NULL,
    PRIMARY KEY (budget, subject, day)
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_cost_delay = 0);

-- The budgets that a call counts against. Whoever writes to several locks them in this order.
CREATE FUNCTION upload_pipeline.budgets_of(caller uuid, document uuid, started_at timestamptz)
RETURNS TABLE (budget text, subject uuid, day date)
LANGUAGE sql IMMUTABLE
BEGIN ATOMIC
    SELECT budget, subject, day
    FROM (VALUES
        ('day', '00000000-0000-0000-0000-000000000000'::uuid, (started_at AT TIME ZONE 'UTC')::date),
        ('document', document, 'epoch'::date),
        ('user', caller, (started_at AT TIME ZONE 'UTC')::date)
    ) AS kind (budget, subject, day)
    WHERE subject IS NOT NULL
    ORDER BY budget;
END;
