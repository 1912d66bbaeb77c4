-- Files within a document, such as a mail's attachments, become documents of their own. A source that is an attachment names
-- the document that it was taken out of, and goes with it.
ALTER TABLE upload_pipeline.document_sources
    ADD COLUMN parent_id uuid REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    -- How far the source is below a submitted document.
    ADD COLUMN depth smallint NOT NULL DEFAULT 0 CHECK (depth >= 0),
    ADD CHECK ((parent_id IS NULL) = (depth = 0));
ALTER TABLE upload_pipeline.document_sources
    ALTER COLUMN parent_id SET STATISTICS 0,
    ALTER COLUMN depth SET STATISTICS 0;
CREATE INDEX document_sources_by_parent ON upload_pipeline.document_sources (parent_id) WHERE parent_id IS NOT NULL;

-- Attachments that did not become documents, and why.
CREATE TABLE upload_pipeline.skipped_attachments (
    document_id uuid NOT NULL REFERENCES upload_pipeline.documents ON DELETE CASCADE,
    user_id uuid NOT NULL,
    path text NOT NULL,
    code text NOT NULL,
    PRIMARY KEY (user_id, document_id, path)
);
CREATE INDEX skipped_attachments_by_document ON upload_pipeline.skipped_attachments (document_id);
ALTER TABLE upload_pipeline.skipped_attachments
    ALTER COLUMN document_id SET STATISTICS 0,
    ALTER COLUMN user_id SET STATISTICS 0,
    ALTER COLUMN path SET STATISTICS 0,
    ALTER COLUMN code SET STATISTICS 0;
ALTER TABLE upload_pipeline.skipped_attachments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY pipeline ON upload_pipeline.skipped_attachments TO ingest_owner, ingest_worker
    USING (true) WITH CHECK (true);
CREATE POLICY own_rows ON upload_pipeline.skipped_attachments FOR SELECT TO ingest_reader
    USING (user_id = upload_pipeline.current_user_id());
ALTER TABLE upload_pipeline.skipped_attachments OWNER TO ingest_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON upload_pipeline.skipped_attachments TO ingest_worker;
GRANT SELECT ON upload_pipeline.skipped_attachments TO ingest_reader;
