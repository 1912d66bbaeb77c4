-- The roles, which belong to the whole server: made where they are missing, before the first migration.
-- ingest_owner owns the schema, ingest_worker runs the pipeline, applications are, or are members of, ingest_reader.
-- They have no passwords: give one to whoever is to log in from outside.
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
            NULL; -- another database of the server is being migrated
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
