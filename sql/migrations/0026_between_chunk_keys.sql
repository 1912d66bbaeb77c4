-- no-transaction
-- A chunk's id is made of its document's id and its text, so an index that begins with it would tell a reader who knows the
-- first whether it has guessed the second. This one begins with the user, and a reader's policy ends the search there.
-- It is built while others read and write; then it takes the place of the other at once. What an interrupted attempt left
-- goes first.
DROP INDEX CONCURRENTLY IF EXISTS upload_pipeline.document_chunks_user_key;

CREATE UNIQUE INDEX CONCURRENTLY document_chunks_user_key ON upload_pipeline.document_chunks (user_id, chunk_id);

SET LOCAL lock_timeout = '15s';
ALTER TABLE upload_pipeline.document_chunks
    DROP CONSTRAINT document_chunks_pkey,
    ADD CONSTRAINT document_chunks_pkey PRIMARY KEY USING INDEX document_chunks_user_key;
