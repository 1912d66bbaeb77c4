-- keep_to_indexes
-- Make Postgres find rows by indexes until the transaction ends, whatever its statistics say: a search reads a few rows
-- among many, and statistics come late after a load.
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
    set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
    set_config('jit', 'off', true);

-- order_by_index
-- Make Postgres take rows in the order of an index, if one has that order, until the transaction ends.
SELECT set_config('enable_sort', 'off', true);

-- needs_index
-- Return whether the user has too many chunks to compare all of them; they are counted only if there is an index.
SELECT CASE WHEN to_regclass(%(index)s) IS NULL THEN false ELSE (
    SELECT count(*) > %(exact_rows)s
    FROM (SELECT FROM upload_pipeline.document_chunks WHERE user_id = %(user_id)s LIMIT %(exact_rows)s + 1) AS counted
) END AS needed;

-- nearest_of_all_bits
-- Return the user's chunks nearest to a vector of the same model: compare all by their bits, and rank candidates by the
-- cosine. Adding 0 keeps the planner from an HNSW index, which finds few of one user's chunks among many.
WITH candidates AS MATERIALIZED (
    SELECT chunk_id
    FROM upload_pipeline.document_chunks
    WHERE embed_model = %(embed_model)s AND embed_version = %(embed_version)s AND user_id = %(user_id)s
        AND (%(documents)s::uuid[] IS NULL OR document_id = ANY(%(documents)s))
    ORDER BY (bits <~> upload_pipeline.vector_bits(%(vector)s::vector(1536))) + 0
    LIMIT %(candidates)s
)
SELECT chunk_id
FROM candidates
JOIN upload_pipeline.document_chunks AS chunk USING (chunk_id)
WHERE chunk.user_id = %(user_id)s
ORDER BY embedding <=> %(vector)s, title, chunk_ord
LIMIT %(limit)s;

-- nearest_of_all_vectors
-- Return the same for a model whose bits say too little: compare all by the cosine.
SELECT chunk_id
FROM upload_pipeline.document_chunks
WHERE embed_model = %(embed_model)s AND embed_version = %(embed_version)s AND user_id = %(user_id)s
    AND (%(documents)s::uuid[] IS NULL OR document_id = ANY(%(documents)s))
ORDER BY embedding <=> %(vector)s, title, chunk_ord
LIMIT %(limit)s;

-- nearest_by_bits
-- Return the same for a user with very many chunks: an HNSW index over the bits, if there is one, finds the candidates.
WITH candidates AS MATERIALIZED (
    SELECT chunk_id, embedding, title, chunk_ord
    FROM upload_pipeline.document_chunks
    WHERE embed_model = %(embed_model)s AND embed_version = %(embed_version)s AND user_id = %(user_id)s
        AND (%(documents)s::uuid[] IS NULL OR document_id = ANY(%(documents)s))
    ORDER BY bits <~> upload_pipeline.vector_bits(%(vector)s::vector(1536))
    LIMIT %(candidates)s
)
SELECT chunk_id
FROM candidates
ORDER BY embedding <=> %(vector)s, title, chunk_ord
LIMIT %(limit)s;

-- nearest_by_halfvec
-- Return the same for a model whose bits say too little: the index is over vectors at half precision.
WITH candidates AS MATERIALIZED (
    SELECT chunk_id, embedding, title, chunk_ord
    FROM upload_pipeline.document_chunks
    WHERE embed_model = %(embed_model)s AND embed_version = %(embed_version)s AND user_id = %(user_id)s
        AND (%(documents)s::uuid[] IS NULL OR document_id = ANY(%(documents)s))
    ORDER BY embedding::halfvec(1536) <=> %(vector)s::vector(1536)::halfvec(1536)
    LIMIT %(candidates)s
)
SELECT chunk_id
FROM candidates
ORDER BY embedding <=> %(vector)s, title, chunk_ord
LIMIT %(limit)s;

-- nearest_in_documents
-- Return the same within a few documents: compare all of their vectors by the cosine. One document after the other is
-- looked up by its id and the order of its chunks, not by the user, who may have very many, nor by the model.
SELECT chunk_id
FROM unnest(%(documents)s::uuid[]) AS wanted (document_id)
CROSS JOIN LATERAL (
    SELECT chunk_id, embedding, title, chunk_ord
    FROM upload_pipeline.document_chunks AS chunk
    WHERE chunk.document_id = wanted.document_id AND chunk_ord >= 0 AND user_id = %(user_id)s
        AND embed_model || '' = %(embed_model)s AND embed_version || '' = %(embed_version)s
    OFFSET 0
) AS chunk
ORDER BY embedding <=> %(vector)s, title, chunk_ord
LIMIT %(limit)s;

-- documents_that_meet
-- Return the user's documents whose metadata meets all conditions; numbers are compared as numbers.
SELECT document_id
FROM upload_pipeline.documents
WHERE user_id = %(user_id)s AND metadata @> %(equal)s AND NOT EXISTS (
    SELECT
    FROM unnest(%(keys)s::text[], %(operators)s::text[], %(bounds)s::text[]) AS condition (key, operator, bound)
    CROSS JOIN LATERAL (SELECT metadata ->> key COLLATE "C" AS own) AS known
    CROSS JOIN LATERAL (SELECT CASE
        WHEN own ~ '^-?[0-9]{1,18}(\.[0-9]{1,9})?$' AND bound ~ '^-?[0-9]{1,18}(\.[0-9]{1,9})?$'
            THEN sign(own::numeric - bound::numeric)
        WHEN own < bound THEN -1 WHEN own > bound THEN 1 WHEN own = bound THEN 0 END) AS compared (side)
    WHERE NOT coalesce(
        CASE operator WHEN '>=' THEN side >= 0 WHEN '<=' THEN side <= 0 WHEN '>' THEN side > 0 ELSE side < 0 END, false)
);

-- query_words
-- Return the query's words, whether each is common and how many sampled chunks have it, with how many chunks the user
-- has, counted up to `most`, and how many are sampled: none of up to `unsampled`.
WITH own AS MATERIALIZED (
    SELECT count(*) AS chunks, CASE WHEN count(*) > %(unsampled)s THEN %(sampled)s ELSE 0 END AS sampled
    FROM (SELECT FROM upload_pipeline.document_chunks WHERE user_id = %(user_id)s LIMIT %(most)s) AS counted
), sample AS MATERIALIZED (
    -- Adding an empty text unpacks each chunk's words once; the order of hashes makes the sample random.
    SELECT full_text || ''::tsvector AS full_text
    FROM upload_pipeline.document_chunks
    WHERE user_id = %(user_id)s
    ORDER BY chunk_sha
    LIMIT (SELECT sampled FROM own)
)
SELECT chunks, sampled, lexeme,
    lexeme = ANY((SELECT tsvector_to_array(to_tsvector('english', %(common_words)s)))::text[]) AS common,
    (SELECT count(*)
     FROM sample
     WHERE full_text @@ ('''' || replace(replace(lexeme, '\', '\\'), '''', '''''') || '''')::tsquery) AS found
FROM own
CROSS JOIN unnest(tsvector_to_array(to_tsvector('english', %(query)s))) AS lexeme;

-- matching_chunks
-- Return the user's chunks that have any of the rare words or all of the frequent ones, best first.
SELECT chunk_id
FROM upload_pipeline.matching_chunks(
    %(rare)s::text[], %(frequent)s::text[], %(ranked)s::tsquery, %(most)s, %(depth)s,
    %(documents)s) AS chunk_id;

-- matching_in_documents
-- Return the same within a few documents, whose chunks are all looked at, one document after the other as above.
SELECT chunk_id
FROM unnest(%(documents)s::uuid[]) AS wanted (document_id)
CROSS JOIN LATERAL (
    SELECT chunk_id, full_text, title, chunk_ord
    FROM upload_pipeline.document_chunks AS chunk
    WHERE chunk.document_id = wanted.document_id AND chunk_ord >= 0 AND user_id = %(user_id)s
        AND full_text @@ %(ranked)s::tsquery
    OFFSET 0
) AS chunk
ORDER BY ts_rank(full_text, %(ranked)s::tsquery) DESC, title, chunk_ord
LIMIT %(depth)s;

-- numbered_chunks
-- Return the user's chunks that have a number of the query, however both are written, with the length of the longest.
SELECT chunk_id, shared
FROM upload_pipeline.numbered_chunks(%(query)s, %(ranked)s::tsquery, %(few)s, %(most)s, %(depth)s, %(documents)s);

-- hits
-- Return these chunks as a search shows them.
SELECT chunk.document_id, chunk.chunk_id, chunk.text, chunk.heading_path, chunk.page, document.filename
FROM upload_pipeline.document_chunks AS chunk
JOIN upload_pipeline.documents AS document USING (document_id)
WHERE chunk.user_id = %(user_id)s AND chunk.chunk_id = ANY(%(chunk_ids)s);
