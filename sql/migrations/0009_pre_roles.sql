-- Who may do what: the roles of sql/roles.sql, and row-level security on every table with a user's data.

-- Whose rows an application sees: its transaction's app.user_id, or who is signed in where the server has auth.uid().
DO $$
BEGIN
    IF to_regprocedure('auth.uid()') IS NULL THEN
        CREATE FUNCTION upload_pipeline.current_user_id() RETURNS uuid LANGUAGE sql STABLE
        RETURN nullif(current_setting('app.user_id', true), '')::uuid;
    ELSE
        CREATE FUNCTION upload_pipeline.current_user_id() RETURNS uuid LANGUAGE sql STABLE
        RETURN coalesce(auth.uid(), nullif(current_setting('app.user_id', true), '')::uuid);
        GRANT USAGE ON SCHEMA auth TO ingest_reader;
    END IF;
END $$;

-- The current user's chunks that have the chosen words, up to `most` of them, those first that have most of the ranked
-- ones. As its owner, because Postgres keeps words from their index where row-level security comes first; planned anew
-- each time, since the best plan for rare words is a bad one for common ones.
CREATE FUNCTION upload_pipeline.matching_chunks(chosen tsquery, ranked tsquery, most integer, depth integer)
RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY EXECUTE '
        WITH candidates AS MATERIALIZED (
            SELECT chunk_id, full_text, title, chunk_ord
            FROM upload_pipeline.document_chunks
            WHERE user_id = $1 AND full_text @@ $2
            LIMIT $4
        )
        SELECT chunk_id
        FROM candidates
        ORDER BY ts_rank(full_text, $3) DESC, title, chunk_ord
        LIMIT $5'
    USING upload_pipeline.current_user_id(), chosen, ranked, most, depth;
END $$;

DO $$
DECLARE
    item text;
BEGIN
    FOREACH item IN ARRAY ARRAY[
        'documents', 'document_sources', 'upload_jobs', 'events', 'document_chunk_buffer', 'document_vector_buffer',
        'document_chunks', 'webhook_log', 'idempotency_keys', 'paid_calls', 'spending', 'parse_jobs', 'deleted_documents'
    ] LOOP
        EXECUTE format('ALTER TABLE upload_pipeline.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', item);
        EXECUTE format('CREATE POLICY pipeline ON upload_pipeline.%I TO ingest_owner, ingest_worker
            USING (true) WITH CHECK (true)', item);
        IF item NOT IN ('spending', 'deleted_documents') THEN
            EXECUTE format('CREATE POLICY own_rows ON upload_pipeline.%I FOR SELECT TO ingest_reader
                USING (user_id = upload_pipeline.current_user_id())', item);
        END IF;
    END LOOP;

    FOR item IN SELECT oid::regclass FROM pg_class
        WHERE relnamespace = 'upload_pipeline'::regnamespace AND relkind = 'r'
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO ingest_owner', item);
    END LOOP;
    FOR item IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'upload_pipeline'::regnamespace LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', item);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO ingest_worker', item);
        EXECUTE format('ALTER FUNCTION %s OWNER TO ingest_owner', item);
    END LOOP;
    EXECUTE format('GRANT CREATE ON DATABASE %I TO ingest_owner', current_database());
    ALTER SCHEMA upload_pipeline OWNER TO ingest_owner;
    EXECUTE format('REVOKE CREATE ON DATABASE %I FROM ingest_owner', current_database());
END $$;

GRANT USAGE ON SCHEMA upload_pipeline TO ingest_worker, ingest_reader;

GRANT SELECT, INSERT, UPDATE, DELETE ON
    upload_pipeline.documents, upload_pipeline.document_sources, upload_pipeline.upload_jobs,
    upload_pipeline.document_chunk_buffer, upload_pipeline.document_vector_buffer, upload_pipeline.document_chunks,
    upload_pipeline.webhook_log, upload_pipeline.idempotency_keys, upload_pipeline.spending, upload_pipeline.parse_jobs,
    upload_pipeline.deleted_documents TO ingest_worker;
GRANT SELECT, INSERT, UPDATE ON upload_pipeline.paid_calls, upload_pipeline.paid_services TO ingest_worker;
GRANT SELECT, INSERT ON upload_pipeline.events TO ingest_worker;
GRANT SELECT ON upload_pipeline.migrations TO ingest_worker;

-- Not the callbacks' secrets, and not what only tells how the service works.
GRANT SELECT ON
    upload_pipeline.documents, upload_pipeline.document_sources, upload_pipeline.upload_jobs, upload_pipeline.events,
    upload_pipeline.document_chunk_buffer, upload_pipeline.document_vector_buffer, upload_pipeline.document_chunks,
    upload_pipeline.webhook_log, upload_pipeline.paid_calls TO ingest_reader;
GRANT EXECUTE ON FUNCTION upload_pipeline.current_user_id, upload_pipeline.vector_bits, upload_pipeline.matching_chunks
    TO ingest_reader;
