-- no-transaction
-- What is known about a document besides its text: policy number, date, and whatever else. Searches choose documents by
-- it, so the index that compares all vectors of a user holds their documents, too. It is built while others read and
-- write; then it takes the place of the other. What an interrupted attempt left goes first.
SET lock_timeout = '15s';
ALTER TABLE upload_pipeline.documents
    ADD COLUMN IF NOT EXISTS metadata jsonb NOT NULL DEFAULT '{}'
        CONSTRAINT metadata_is_small CHECK (jsonb_typeof(metadata) = 'object' AND octet_length(metadata::text) <= 65536);
-- Statistics would tell everybody what users' documents are about.
ALTER TABLE upload_pipeline.documents ALTER COLUMN metadata SET STATISTICS 0;

DROP INDEX CONCURRENTLY IF EXISTS upload_pipeline.document_chunks_by_document_bits;

CREATE INDEX CONCURRENTLY document_chunks_by_document_bits ON upload_pipeline.document_chunks
    (embed_model, embed_version, user_id) INCLUDE (chunk_id, document_id, bits);

SET lock_timeout = '15s';
DROP INDEX IF EXISTS upload_pipeline.document_chunks_by_bits;
ALTER INDEX upload_pipeline.document_chunks_by_document_bits RENAME TO document_chunks_by_bits;

-- The current user's chunks that have any of the rare words or all of the frequent ones, as before; now of some documents
-- only, if there are `wanted` ones.
DROP FUNCTION IF EXISTS upload_pipeline.matching_chunks(text[], text[], tsquery, integer, integer);
CREATE OR REPLACE FUNCTION upload_pipeline.matching_chunks(
    rare text[], frequent text[], ranked tsquery, most integer, depth integer, wanted uuid[] DEFAULT NULL)
RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = on
AS $$
DECLARE
    reader CONSTANT uuid := upload_pipeline.current_user_id();
    any_of CONSTANT bytea[] := upload_pipeline.word_keys(reader, rare);
    all_of CONSTANT bytea[] := upload_pipeline.word_keys(reader, frequent);
BEGIN
    RETURN QUERY
        SELECT chunk_id
        FROM (
            SELECT chunk_id, title, chunk_ord, ts_rank(full_text, ranked) AS rank
            FROM upload_pipeline.document_chunks
            WHERE (upload_pipeline.word_keys(user_id, tsvector_to_array(full_text)) && any_of
                    OR upload_pipeline.word_keys(user_id, tsvector_to_array(full_text)) @> all_of)
                AND (wanted IS NULL OR document_id = ANY(wanted))
            LIMIT most
        ) AS candidates
        ORDER BY rank DESC, title, chunk_ord
        LIMIT depth;
END $$;
REVOKE ALL ON FUNCTION upload_pipeline.matching_chunks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.matching_chunks TO ingest_worker, ingest_reader;
