-- Words as an index keeps them: each behind its owner's id, so that whoever looks for a word meets nobody else's.
CREATE FUNCTION upload_pipeline.word_keys(owner uuid, words text[]) RETURNS bytea[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (SELECT array_agg(uuid_send(owner) || convert_to(word, 'UTF8')) FROM unnest(words) AS word);
REVOKE ALL ON FUNCTION upload_pipeline.word_keys FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.word_keys TO ingest_worker;

CREATE INDEX document_chunks_by_word ON upload_pipeline.document_chunks
    USING gin (upload_pipeline.word_keys(user_id, tsvector_to_array(full_text)));
-- Statistics would copy words of users, and no plan depends on them.
ALTER INDEX upload_pipeline.document_chunks_by_word ALTER COLUMN 1 SET STATISTICS 0;
DROP INDEX upload_pipeline.document_chunks_full_text;

-- Ranking reads the words of a thousand chunks: they stay in the row, where reading them takes a quarter of the time, and
-- three rows fit a page. Chunks that are already stored get this when they are written anew.
ALTER TABLE upload_pipeline.document_chunks SET (toast_tuple_target = 2432);
ALTER TABLE upload_pipeline.document_chunks ALTER COLUMN full_text SET STORAGE MAIN;

-- The current user's chunks that have any of the rare words or all of the frequent ones, up to `most` of them, those
-- first that have most of the ranked words. The function runs as its owner, because under row-level security Postgres
-- does not let words use an index; without sequential scans, the index of words is the only way to the rows, whatever
-- the statistics say.
DROP FUNCTION upload_pipeline.matching_chunks(tsquery, tsquery, integer, integer);
CREATE FUNCTION upload_pipeline.matching_chunks(
    rare text[], frequent text[], ranked tsquery, most integer, depth integer)
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
            WHERE upload_pipeline.word_keys(user_id, tsvector_to_array(full_text)) && any_of
                OR upload_pipeline.word_keys(user_id, tsvector_to_array(full_text)) @> all_of
            LIMIT most
        ) AS candidates
        ORDER BY rank DESC, title, chunk_ord
        LIMIT depth;
END $$;
REVOKE ALL ON FUNCTION upload_pipeline.matching_chunks FROM PUBLIC;
GRANT EXECUTE ON FUNCTION upload_pipeline.matching_chunks TO ingest_worker, ingest_reader;
