"""Chunks with vectors put straight into the table: for what depends on how many there are, not on how they came."""

from collections.abc import Sequence
from uuid import UUID, uuid4

import numpy as np
import psycopg
from pgvector.psycopg import register_vector

from ingest_assets.adapters.postgres.search import vector_index
from ingest_assets.composition.providers import index_policy
from ingest_assets.domain.documents.document import VECTOR_DIMENSIONS, ChunkId, Producer, UserId, Vectors

MODEL = Producer("lexical", "1")

DOCUMENT = """INSERT INTO upload_pipeline.documents
    (document_id, user_id, live_version, filename, media_type, byte_size, content_sha)
VALUES (%s, %s, 1, 'stored.md', 'text/markdown', 1, repeat('a', 64))"""

CHUNK = """INSERT INTO upload_pipeline.document_chunks (
    chunk_id, document_id, user_id, chunker_name, chunker_version, chunk_ord, title, heading_path, start_offset,
    end_offset, text, chunk_sha, embed_model, embed_version, vector_dim, embedding, full_text)
VALUES (%s, %s, %s, 'markdown', '1', %s, 'stored', '{}', 0, 1, %s, encode(sha256(%s), 'hex'), %s, %s, 1536, %s,
    to_tsvector('english', %s))"""


def index_name(model: Producer) -> str:
    """Return the name of a model's index as a deployment gives it."""
    return vector_index.index_name(model, index_policy().kind_of(model))


def clustered(count: int, clusters: int = 20, seed: int = 1) -> Vectors:
    """Unit vectors, each near one of a few centres."""
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(clusters, VECTOR_DIMENSIONS))
    drawn = centres[chance.integers(clusters, size=count)] + chance.normal(size=(count, VECTOR_DIMENSIONS))
    unit: Vectors = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return unit


def store_vectors(
    url: str, user: UserId, vectors: Vectors, texts: Sequence[str] | None = None, model: Producer = MODEL
) -> list[ChunkId]:
    """One document's chunks; their ids in the order of the vectors."""
    document, ids = uuid4(), [ChunkId(UUID(int=uuid4().int)) for _ in vectors]
    texts = texts or [f"passage {number}" for number in range(len(vectors))]
    with psycopg.connect(url) as connection:
        register_vector(connection)
        connection.execute(DOCUMENT, [document, user])
        rows = [
            (chunk, document, user, number, text, text.encode(), model.name, model.version, vector, text)
            for number, (chunk, text, vector) in enumerate(zip(ids, texts, vectors, strict=True))
        ]
        connection.cursor().executemany(CHUNK, rows)
    return ids


def analyze(url: str) -> None:
    """Statistics and visibility, as autovacuum would leave them."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE upload_pipeline.document_chunks")
