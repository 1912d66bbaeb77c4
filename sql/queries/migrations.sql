-- available_pgvector
-- Return the version of pgvector that is installed, or that could be installed.
SELECT coalesce(installed_version, default_version) AS version
FROM pg_available_extensions
WHERE name = 'vector';

-- found_pgvector
-- Return the schema of pgvector in this database, if it is there, and whether all roles of sql/roles.sql may use it.
SELECT nspname AS schema,
    (SELECT bool_and(has_schema_privilege(rolname, extnamespace, 'USAGE')) FROM pg_roles
        WHERE rolname IN ('ingest_owner', 'ingest_worker', 'ingest_reader')) AS reached
FROM pg_extension
JOIN pg_namespace ON pg_namespace.oid = extnamespace
WHERE extname = 'vector';

-- schema_for_pgvector
-- Return the schema that people keep extensions in, as Supabase does, if this login may put one there.
SELECT nspname AS schema
FROM pg_namespace
WHERE nspname = 'extensions' AND has_schema_privilege(oid, 'CREATE');

-- let_owner_in
-- Let the owner of sql/roles.sql have a schema that is not its own yet: of a login that is no superuser, nobody takes over
-- a table in whose schema he may not make one.
DO $$
BEGIN
    IF to_regnamespace('upload_pipeline') IS NOT NULL THEN
        GRANT USAGE, CREATE ON SCHEMA upload_pipeline TO ingest_owner;
    END IF;
END $$;

-- try_first_lock
-- Let one process migrate at a time while the schema has no table of locks, and no readers either, or return nothing. The
-- lock is free when the transaction ends.
SELECT WHERE pg_try_advisory_xact_lock(hashtextextended('ingest-assets migrations', 0));

-- applied_migrations
-- Return the applied migrations with their checksums at that time.
SELECT name, checksum FROM upload_pipeline.migrations ORDER BY name;

-- record_migration
-- Record that a migration has just been applied.
INSERT INTO upload_pipeline.migrations (name, checksum) VALUES (%(name)s, %(checksum)s);

-- index_build
-- Return how far a session's build of an index has come: blocks read, then entries written, of how many.
SELECT
    CASE WHEN blocks_total > 0 THEN blocks_done ELSE tuples_done END AS done,
    CASE WHEN blocks_total > 0 THEN blocks_total ELSE tuples_total END AS total
FROM pg_stat_progress_create_index
WHERE pid = %(pid)s;

-- find_database
-- Return whether the database of this name, if there is one, ends sessions that freeze in a transaction.
SELECT EXISTS (
        SELECT FROM pg_db_role_setting, unnest(setconfig) AS setting
        WHERE setdatabase = pg_database.oid AND setrole = 0
            AND setting LIKE 'idle\_in\_transaction\_session\_timeout=%%'
    ) AS limits_idle
FROM pg_database
WHERE datname = %(name)s;
