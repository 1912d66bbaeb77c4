-- open_doors
-- Return what a reader may do in this database beyond reading its rows, each with the statement that ends it. Functions of
-- large objects write, and those of advisory locks and messages fill what all sessions share.
WITH function AS (
    SELECT string_agg(oid::regprocedure::text, ', ' ORDER BY oid::regprocedure::text) AS names
    FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege('ingest_reader', oid, 'EXECUTE')
        AND proname ~ '^(lo_|loread$|lowrite$|pg_(try_)?advisory_|pg_logical_emit_message$)'
), setting (name, value) AS (
    VALUES ('statement_timeout', '30s'), ('lock_timeout', '5s'), ('idle_in_transaction_session_timeout', '10s'),
        ('temp_file_limit', '1GB')
)
SELECT 'make ' || CASE privilege WHEN 'TEMPORARY' THEN 'temporary tables' ELSE 'schemas' END AS door,
    format('REVOKE %s ON DATABASE %I FROM PUBLIC, ingest_reader', privilege, current_database()) AS closing
FROM unnest(ARRAY['TEMPORARY', 'CREATE']) AS privilege
WHERE has_database_privilege('ingest_reader', current_database(), privilege)
UNION ALL
SELECT format('make tables in the schema %I', nspname),
    format('REVOKE CREATE ON SCHEMA %I FROM PUBLIC, ingest_reader', nspname)
FROM pg_namespace
WHERE has_schema_privilege('ingest_reader', oid, 'CREATE')
UNION ALL
SELECT 'write large objects, take advisory locks or write messages into the log',
    format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC, ingest_reader', names)
FROM function
WHERE names IS NOT NULL
UNION ALL
SELECT 'change large objects that are not its own',
    format('ALTER DATABASE %I SET lo_compat_privileges = off', current_database())
WHERE current_setting('lo_compat_privileges')::boolean
UNION ALL
SELECT format('work without %s', setting.name),
    format('ALTER ROLE ingest_reader IN DATABASE %I SET %I = %L', current_database(), setting.name, setting.value)
FROM setting
WHERE NOT EXISTS (
    SELECT
    FROM pg_db_role_setting
    CROSS JOIN unnest(setconfig) AS present
    WHERE setrole = 'ingest_reader'::regrole
        AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
        AND starts_with(present, setting.name || '=')
);

-- open_entrances
-- Return the same of a database that readers have no business in: whether they may connect to it. The pipeline's own is
-- none, though Dagster may share it.
SELECT format('connect to the database %I', datname) AS door,
    format('GRANT CONNECT ON DATABASE %1$I TO %2$I; REVOKE ALL ON DATABASE %1$I FROM PUBLIC, ingest_reader',
        datname, session_user) AS closing
FROM pg_database
JOIN pg_roles ON rolname = 'ingest_reader'
WHERE datname = current_database() AND has_database_privilege(pg_roles.oid, pg_database.oid, 'CONNECT')
    AND to_regnamespace('upload_pipeline') IS NULL;
