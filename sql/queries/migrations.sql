-- available_pgvector
-- The installed version of pgvector, or the one that could be installed.
SELECT coalesce(installed_version, default_version) AS version
FROM pg_available_extensions
WHERE name = 'vector';

-- lock_migrations
-- One migrating process at a time.
SELECT pg_advisory_lock(hashtextextended('ingest-assets migrations', 0));

-- unlock_migrations
-- The next one may go.
SELECT pg_advisory_unlock(hashtextextended('ingest-assets migrations', 0));

-- applied_migrations
-- What has been applied, with the checksum of that day.
SELECT name, checksum FROM upload_pipeline.migrations ORDER BY name;

-- record_migration
-- Applied just now.
INSERT INTO upload_pipeline.migrations (name, checksum) VALUES (%(name)s, %(checksum)s);

-- find_database
-- Whether the server has a database of this name.
SELECT 1 FROM pg_database WHERE datname = %(name)s;
