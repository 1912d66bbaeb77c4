-- What ties together the events of one command, one request or one run; null in those from before it was kept.
ALTER TABLE upload_pipeline.events ADD COLUMN correlation_id text CHECK (correlation_id <> '');

-- Against mistakes and against whoever got hold of a role that may write: a history that can be rewritten proves nothing.
CREATE FUNCTION upload_pipeline.refuse_rewriting() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'upload_pipeline.% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege', HINT = 'Add an event that corrects what is wrong.';
END;
$$;
CREATE TRIGGER events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON upload_pipeline.events
    FOR EACH STATEMENT EXECUTE FUNCTION upload_pipeline.refuse_rewriting();
ALTER TABLE upload_pipeline.events ENABLE ALWAYS TRIGGER events_are_append_only;

-- Documents that are gone: whose they were, and what is still to be done about them. Ids and times only, kept for ever.
ALTER TABLE upload_pipeline.deleted_documents
    ADD COLUMN user_id uuid,
    ADD COLUMN deleted_at timestamptz NOT NULL DEFAULT now(),
    -- When a scan last found nothing of the document.
    ADD COLUMN erased_at timestamptz,
    -- When Dagster was told to forget the document's partition.
    ADD COLUMN unlisted_at timestamptz;
INSERT INTO upload_pipeline.deleted_documents AS known (document_id, user_id, deleted_at, unlisted_at)
SELECT document_id, user_id, occurred_at, now() FROM upload_pipeline.events WHERE code = 'deleted'
ON CONFLICT (document_id) DO UPDATE SET user_id = excluded.user_id, deleted_at = excluded.deleted_at;
ALTER TABLE upload_pipeline.deleted_documents ALTER COLUMN user_id SET NOT NULL;
CREATE INDEX deleted_documents_listed ON upload_pipeline.deleted_documents (document_id) WHERE unlisted_at IS NULL;
CREATE INDEX deleted_documents_to_scan ON upload_pipeline.deleted_documents (deleted_at)
    WHERE erased_at IS NULL OR erased_at - deleted_at < interval '24 hours';

-- By which the service still knows the call, and with it what was sent.
CREATE INDEX paid_calls_by_document ON upload_pipeline.paid_calls (document_id) WHERE request_id IS NOT NULL;

-- How many rows of each table still hold something of a document that was deleted. Every table that names documents is
-- looked into, also one that is made later; but for those that keep ids, and that without what else they might tell.
CREATE FUNCTION upload_pipeline.traces_of(document uuid) RETURNS TABLE (relation text, traces bigint)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    FOR relation IN
        SELECT class.relname
        FROM pg_class AS class
        JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
        WHERE class.relnamespace = 'upload_pipeline'::regnamespace AND class.relkind IN ('r', 'p')
            AND attribute.attname = 'document_id' AND NOT attribute.attisdropped
            AND class.relname NOT IN ('events', 'deleted_documents', 'idempotency_keys')
        ORDER BY class.relname
    LOOP
        EXECUTE format(
            'SELECT count(*) FROM upload_pipeline.%I WHERE document_id = $1%s', relation,
            CASE relation WHEN 'paid_calls' THEN ' AND request_id IS NOT NULL' ELSE '' END
        ) INTO traces USING document;
        IF traces > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END;
$$;

REVOKE ALL ON FUNCTION upload_pipeline.refuse_rewriting, upload_pipeline.traces_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.refuse_rewriting, upload_pipeline.traces_of TO ingest_worker;
