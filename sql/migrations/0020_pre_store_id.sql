-- Ties the object store to this database: the store bears the same id. Whoever meets another id has the wrong one.
CREATE TABLE upload_pipeline.object_store (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    store_id uuid NOT NULL
);
INSERT INTO upload_pipeline.object_store (store_id) VALUES (gen_random_uuid());
ALTER TABLE upload_pipeline.object_store OWNER TO ingest_owner;
GRANT SELECT ON upload_pipeline.object_store TO ingest_worker;

-- Returns whether nobody knows what a call has cost: it is not settled, or it failed without an answer that says so.
CREATE FUNCTION upload_pipeline.is_uncertain(call upload_pipeline.paid_calls) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN (call).outcome IN ('under_way', 'abandoned') OR (call).doubtful;

-- Returns what a call takes of its budgets: what it cost or, as long as nobody knows that, what it was expected to cost.
CREATE FUNCTION upload_pipeline.taken_by(call upload_pipeline.paid_calls) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN CASE WHEN upload_pipeline.is_uncertain(call) THEN (call).estimated_micro_usd ELSE (call).micro_usd END;

-- Returns what is taken of each budget by the calls in the ledger.
CREATE FUNCTION upload_pipeline.taken_by_ledger()
RETURNS TABLE (budget text, subject uuid, day date, micro_usd bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT counted.budget, counted.subject, counted.day, sum(upload_pipeline.taken_by(call))::bigint
    FROM upload_pipeline.paid_calls AS call
    CROSS JOIN LATERAL upload_pipeline.budgets_of(call.user_id, call.document_id, call.started_at) AS counted
    GROUP BY counted.budget, counted.subject, counted.day;
END;

DO $$
DECLARE
    item text;
BEGIN
    FOREACH item IN ARRAY ARRAY[
        'is_uncertain(upload_pipeline.paid_calls)', 'taken_by(upload_pipeline.paid_calls)', 'taken_by_ledger()'
    ] LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION upload_pipeline.%s FROM PUBLIC', item);
        EXECUTE format('GRANT EXECUTE ON FUNCTION upload_pipeline.%s TO ingest_worker', item);
        EXECUTE format('ALTER FUNCTION upload_pipeline.%s OWNER TO ingest_owner', item);
    END LOOP;
END $$;
