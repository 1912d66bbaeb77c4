-- The planner's estimates tell everybody what statistics know of all users' rows. What readers may ask for keeps none, and
-- no plan of the pipeline depends on any. Readers no longer read what only serves the pipeline: some of its keys begin with
-- ids of documents, so that asking for a foreign one would tell whether a text or a vector is there.
REVOKE SELECT ON upload_pipeline.document_chunk_buffer, upload_pipeline.document_vector_buffer, upload_pipeline.webhook_log
    FROM ingest_reader;
DROP POLICY own_rows ON upload_pipeline.document_chunk_buffer;
DROP POLICY own_rows ON upload_pipeline.document_vector_buffer;
DROP POLICY own_rows ON upload_pipeline.webhook_log;

DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT class.relname, class.relkind, attribute.attname, attribute.attnum
        FROM pg_class AS class
        JOIN pg_attribute AS attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_index ON indexrelid = class.oid
        WHERE relnamespace = 'upload_pipeline'::regnamespace
            AND has_table_privilege('ingest_reader', coalesce(indrelid, class.oid), 'SELECT')
            AND (relkind = 'r' OR relkind = 'i' AND indkey[attnum - 1] = 0)
    LOOP
        EXECUTE CASE item.relkind
            WHEN 'r' THEN
                format('ALTER TABLE upload_pipeline.%I ALTER COLUMN %I SET STATISTICS 0', item.relname, item.attname)
            ELSE format('ALTER INDEX upload_pipeline.%I ALTER COLUMN %s SET STATISTICS 0', item.relname, item.attnum)
        END;
    END LOOP;
END $$;

-- What has been gathered stays until somebody removes it: a superuser, or since PostgreSQL 18 the tables' owner.
DO $$
DECLARE
    item record;
BEGIN
    PERFORM set_config('role', 'none', true);
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        DELETE FROM pg_statistic
        USING pg_attribute
        WHERE attrelid = starelid AND attnum = staattnum AND attstattarget = 0
            AND starelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'upload_pipeline'::regnamespace);
        PERFORM set_config('role', 'ingest_owner', true);
    ELSE
        PERFORM set_config('role', 'ingest_owner', true);
        IF to_regproc('pg_catalog.pg_clear_attribute_stats') IS NULL THEN
            RAISE WARNING 'Only a superuser can remove the statistics that were gathered before.';
        ELSE
            FOR item IN
                SELECT relname, attname
                FROM pg_class
                JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
                WHERE relnamespace = 'upload_pipeline'::regnamespace AND attstattarget = 0
            LOOP
                EXECUTE 'SELECT pg_clear_attribute_stats($1, $2, $3, false)'
                    USING 'upload_pipeline', item.relname::text, item.attname::text;
            END LOOP;
        END IF;
    END IF;
END $$;
