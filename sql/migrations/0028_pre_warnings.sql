-- What the newest parse of a document could not read, in counts by kind.
ALTER TABLE upload_pipeline.documents
    ADD COLUMN warnings jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(warnings) = 'object');
ALTER TABLE upload_pipeline.documents ALTER COLUMN warnings SET STATISTICS 0;
