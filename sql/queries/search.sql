-- nearest_chunks
-- The user's chunks nearest to a vector of the same model: candidates by their bits, ranked by the cosine.
WITH candidates AS MATERIALIZED (
    SELECT chunk_id, embedding, title, chunk_ord
    FROM upload_pipeline.document_chunks
    WHERE user_id = %(user_id)s AND embed_model = %(embed_model)s AND embed_version = %(embed_version)s
    ORDER BY binary_quantize(embedding)::bit(1536) <~> binary_quantize(%(vector)s::vector(1536))::bit(1536)
    LIMIT %(candidates)s
)
SELECT chunk_id
FROM candidates
ORDER BY embedding <=> %(vector)s, title, chunk_ord
LIMIT %(limit)s;

-- matching_chunks
-- The user's chunks that have any of the query's words, best first; common words count only where there are no others.
WITH words AS (
    SELECT lexeme, lexeme = ANY(tsvector_to_array(to_tsvector('english', %(common_words)s))) AS common
    FROM unnest(tsvector_to_array(to_tsvector('english', %(query)s))) AS lexeme
), query AS (
    SELECT string_agg('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''', ' | ')::tsquery AS words
    FROM words
    WHERE NOT common OR NOT EXISTS (SELECT FROM words WHERE NOT common)
)
SELECT chunk_id
FROM upload_pipeline.document_chunks, query
WHERE user_id = %(user_id)s AND full_text @@ query.words
ORDER BY ts_rank(full_text, query.words) DESC, title, chunk_ord
LIMIT %(limit)s;

-- hits
-- These chunks as a search shows them.
SELECT chunk.document_id, chunk.chunk_id, chunk.text, chunk.heading_path, chunk.page, document.filename
FROM upload_pipeline.document_chunks AS chunk
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE chunk.user_id = %(user_id)s AND chunk.chunk_id = ANY(%(chunk_ids)s);
