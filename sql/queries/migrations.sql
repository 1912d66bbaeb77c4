-- available_pgvector
-- Return the version of pgvector that is installed, or that could be installed.
SELECT coalesce(installed_version, default_version) AS version
FROM pg_available_extensions
WHERE name = 'vector';

-- lock_migrations
-- Let one process migrate at a time.
SELECT pg_advisory_lock(hashtextextended('ingest-assets migrations', 0));

-- unlock_migrations
-- Let the next process migrate.
SELECT pg_advisory_unlock(hashtextextended('ingest-assets migrations', 0));

-- applied_migrations
-- Return the applied migrations with their checksums at that time.
SELECT name, checksum FROM upload_pipeline.migrations ORDER BY name;

-- record_migration
-- Record that a migration has just been applied.
INSERT INTO upload_pipeline.migrations (name, checksum) VALUES (%(name)s, %(checksum)s);

-- find_database
-- Return a row if the server has a database of this name.
SELECT 1 FROM pg_database WHERE datname = %(name)s;
