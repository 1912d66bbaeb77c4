-- nearest_chunks
-- The user's chunks nearest to a vector of the same model: candidates by their bits, ranked by the cosine.
WITH candidates AS MATERIALIZED (
    SELECT chunk_id, embedding
    FROM upload_pipeline.document_chunks
    WHERE user_id = %(user_id)s AND embed_model = %(embed_model)s AND embed_version = %(embed_version)s
    ORDER BY binary_quantize(embedding)::bit(1536) <~> binary_quantize(%(vector)s::vector(1536))::bit(1536)
    LIMIT %(candidates)s
)
SELECT chunk_id
FROM candidates
ORDER BY embedding <=> %(vector)s, chunk_id
LIMIT %(limit)s;

-- matching_chunks
-- The user's chunks that have any of the query's words, best first.
WITH query AS (
    SELECT replace(plainto_tsquery('english', %(query)s)::text, '&', '|')::tsquery AS words
)
SELECT chunk_id
FROM upload_pipeline.document_chunks, query
WHERE user_id = %(user_id)s AND full_text @@ query.words
ORDER BY ts_rank_cd(full_text, query.words, 1) DESC, chunk_id
LIMIT %(limit)s;

-- hits
-- These chunks as a search shows them.
SELECT chunk.document_id, chunk.chunk_id, chunk.text, chunk.heading_path, chunk.page, document.filename
FROM upload_pipeline.document_chunks AS chunk
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE chunk.user_id = %(user_id)s AND chunk.chunk_id = ANY(%(chunk_ids)s);
