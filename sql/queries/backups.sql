-- begin_snapshot
-- Begin to see everything as of one moment.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;

-- export_snapshot
-- Give this moment a name, by which other sessions see the same, and return what belongs to the whole database.
SELECT pg_export_snapshot() AS name, now() AS taken_at, store_id FROM upload_pipeline.object_store;

-- counts_of_snapshot
-- Count what a backup holds.
SELECT (SELECT count(*) FROM upload_pipeline.documents) AS documents,
    (SELECT count(*) FROM upload_pipeline.document_chunks) AS chunks,
    (SELECT count(*) FROM upload_pipeline.events) AS events;

-- grantees
-- Return the roles, besides those that the migrations make, that have rights in the schema.
SELECT DISTINCT rolname AS role
FROM (
    SELECT relacl AS rights FROM pg_class WHERE relnamespace = 'upload_pipeline'::regnamespace
    UNION ALL SELECT proacl FROM pg_proc WHERE pronamespace = 'upload_pipeline'::regnamespace
    UNION ALL SELECT nspacl FROM pg_namespace WHERE oid = 'upload_pipeline'::regnamespace
    UNION ALL SELECT attacl FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid
        WHERE relnamespace = 'upload_pipeline'::regnamespace
) AS holder, aclexplode(rights) AS granted
JOIN pg_roles ON pg_roles.oid = granted.grantee
WHERE rolname NOT IN ('ingest_owner', 'ingest_worker', 'ingest_reader')
ORDER BY rolname;

-- absent_roles
-- Return those of these roles that the server lacks.
SELECT wanted AS role FROM unnest(%(roles)s::text[]) AS wanted WHERE wanted NOT IN (SELECT rolname FROM pg_roles) ORDER BY wanted;

-- key_ids
-- Return the ids of all users' keys.
SELECT key_id FROM upload_pipeline.user_keys;

-- recorded_in_snapshot
-- Return what the rows of all documents say of their objects, in the order of users, then documents.
SELECT user_id, document_id, version, live_version, content_sha, parsed_content_sha, parsed_sha, updated_at
FROM upload_pipeline.documents
ORDER BY user_id, document_id;

-- restoring_mark
-- Return which backup is being restored here, if one is, and whether there is a schema at all.
SELECT to_regnamespace('upload_pipeline') IS NOT NULL AS found,
    obj_description(to_regnamespace('upload_pipeline'), 'pg_namespace') AS mark;

-- lock_for_restoring
-- Let nobody add anything before the schema is gone.
LOCK TABLE upload_pipeline.documents, upload_pipeline.events IN ACCESS EXCLUSIVE MODE;

-- holds_anything
-- Return whether there are documents, or the history of some.
SELECT EXISTS (SELECT FROM upload_pipeline.documents) OR EXISTS (SELECT FROM upload_pipeline.events) AS occupied;

-- drop_schema
-- Remove the schema, which is empty.
DROP SCHEMA upload_pipeline CASCADE;

-- begin_restoring
-- Begin the transaction of a restoration: the schema gets its owner, to whom everything in the dump belongs. Whose rows an
-- application sees depends on whether this server, not the former one, knows who is signed in.
BEGIN;
CREATE SCHEMA upload_pipeline AUTHORIZATION ingest_owner;
DO $$
BEGIN
    IF to_regprocedure('auth.uid()') IS NULL THEN
        CREATE FUNCTION upload_pipeline.current_user_id() RETURNS uuid LANGUAGE sql STABLE
        RETURN nullif(current_setting('app.user_id', true), '')::uuid;
    ELSE
        CREATE FUNCTION upload_pipeline.current_user_id() RETURNS uuid LANGUAGE sql STABLE
        RETURN coalesce(auth.uid(), nullif(current_setting('app.user_id', true), '')::uuid);
    END IF;
    ALTER FUNCTION upload_pipeline.current_user_id() OWNER TO ingest_owner;
END $$;
SET LOCAL ROLE ingest_owner;

-- mark_restoring
-- Note which backup has come here but does not go on yet.
COMMENT ON SCHEMA upload_pipeline IS %(mark)s;

-- end_restoring
-- Keep what was restored.
COMMIT;

-- void_leases
-- Return the documents to the queue that workers held at the moment of the backup; no crash is counted.
WITH released AS (
    UPDATE upload_pipeline.upload_jobs
    SET state = 'queued', claimed_by = NULL, lease_expires_at = NULL
    WHERE state = 'working'
    RETURNING *
)
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, correlation_id)
SELECT document_id, job_id, user_id, version, stage, state, %(actor)s, %(correlation_id)s FROM released;

-- tell_again
-- Have a Dagster told that knows nothing: of every outcome that the former one lists. No Dagster lists anything by now.
UPDATE upload_pipeline.upload_jobs
SET listed_by = NULL, telling_until = NULL,
    reported_at = CASE WHEN unlisted_at IS NULL OR unlisted_at < reported_at THEN NULL ELSE reported_at END
WHERE listed_by IS NOT NULL OR telling_until IS NOT NULL OR reported_at IS NOT NULL;

-- forget_listings
-- Forget what other Dagsters list.
DELETE FROM upload_pipeline.moved_listings;

-- forget_all_instances
-- Forget the deployments of the former place.
DELETE FROM upload_pipeline.instances;

-- adopt_store
-- Tie the database to another object store.
UPDATE upload_pipeline.object_store SET store_id = %(store_id)s;

-- unmark_restoring
-- Note that what was restored goes on.
COMMENT ON SCHEMA upload_pipeline IS NULL;
