-- The bits of a vector beside it: comparing a user's vectors by them needs neither the vectors nor an HNSW index.
-- HNSW indexes are per embedding model from now on, and come and go with what is stored.

DROP INDEX upload_pipeline.document_chunks_nearest;

-- Each coordinate of a unit vector as one of four levels, in three bits of which as many are set as the level: the
-- Hamming distance adds up how far apart the levels are. A quarter of such coordinates is above 0.0172 and below -0.0172.
CREATE FUNCTION upload_pipeline.vector_bits(embedding vector) RETURNS bit
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    binary_quantize(embedding)
    || binary_quantize(embedding + array_fill(0.0172::real, ARRAY[1536])::vector)
    || binary_quantize(embedding - array_fill(0.0172::real, ARRAY[1536])::vector)
)::bit(4608);

ALTER TABLE upload_pipeline.document_chunks
    ADD COLUMN bits bit(4608) NOT NULL GENERATED ALWAYS AS (upload_pipeline.vector_bits(embedding)) STORED;
-- Index-only scans depend on vacuum, and the choice of words on statistics: soon after a load, not after a fifth more.
ALTER TABLE upload_pipeline.document_chunks SET (
    autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.05
);

-- Finds a user's nearest vectors by their bits, without touching the table.
CREATE INDEX document_chunks_by_bits ON upload_pipeline.document_chunks (embed_model, embed_version, user_id)
    INCLUDE (chunk_id, bits);
