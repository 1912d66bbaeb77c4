-- The signs of a vector beside it: comparing a user's vectors by them needs neither the vectors nor an HNSW index.
-- HNSW indexes are per embedding model from now on, and come and go with what is stored (ingest_assets/pipeline/vector_index.py).

DROP INDEX upload_pipeline.document_chunks_nearest;

ALTER TABLE upload_pipeline.document_chunks
    ADD COLUMN bits bit(1536) GENERATED ALWAYS AS (binary_quantize(embedding)::bit(1536)) STORED;
-- Index-only scans depend on vacuum, and the choice of words on statistics: soon after a load, not after a fifth more.
ALTER TABLE upload_pipeline.document_chunks SET (
    autovacuum_vacuum_insert_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.05
);

CREATE INDEX document_chunks_by_bits ON upload_pipeline.document_chunks (embed_model, embed_version, user_id)
    INCLUDE (chunk_id, bits);
