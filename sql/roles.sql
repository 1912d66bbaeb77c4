-- Creates the missing roles before the first migration; roles belong to the whole server.
-- ingest_owner owns the schema, ingest_worker runs the pipeline, and applications are ingest_reader or its members.
-- The roles have no passwords; set one for each role that logs in from outside.
DO $$
DECLARE
    missing text;
BEGIN
    FOR missing IN
        SELECT wanted FROM unnest(ARRAY['ingest_owner', 'ingest_worker', 'ingest_reader']) AS wanted
        WHERE wanted NOT IN (SELECT rolname FROM pg_roles)
    LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I LOGIN', missing);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL; -- a migration of another database on this server has just created it
        END;
    END LOOP;
    IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        GRANT ingest_owner, ingest_worker TO CURRENT_USER;
    END IF;
    IF NOT pg_has_role('ingest_worker', 'ingest_reader', 'MEMBER') THEN
        BEGIN
            GRANT ingest_reader TO ingest_worker;
        EXCEPTION WHEN unique_violation OR internal_error THEN
            NULL;
        END;
    END IF;
END $$;
