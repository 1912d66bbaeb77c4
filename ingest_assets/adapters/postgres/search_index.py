"""Search in Postgres: vectors by HNSW, words by full text."""

from collections.abc import Sequence

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents import ChunkId, Producer, UserId, Vectors
from ingest_assets.domain.search import Hit
from ingest_assets.domain.vocabulary import COMMON_WORDS

CANDIDATES = 400
"""Rows that the bits find and the cosine ranks: recall@10 of .98 under the lexical embedder (docs/decisions)."""


class PostgresSearchIndex:
    def __init__(self, database: Database) -> None:
        self._database = database

    def nearest(self, user_id: UserId, vector: Vectors, model: Producer, limit: int) -> list[ChunkId]:
        names = {
            "user_id": user_id,
            "vector": vector,
            "embed_model": model.name,
            "embed_version": model.version,
            "candidates": max(CANDIDATES, limit),
            "limit": limit,
        }
        with self._database.connection() as connection:
            return [row["chunk_id"] for row in connection.execute(query("nearest_chunks"), names)]

    def matching(self, user_id: UserId, query_text: str, limit: int) -> list[ChunkId]:
        names = {"user_id": user_id, "query": query_text, "common_words": " ".join(COMMON_WORDS), "limit": limit}
        with self._database.connection() as connection:
            return [row["chunk_id"] for row in connection.execute(query("matching_chunks"), names)]

    def hits(self, user_id: UserId, chunk_ids: Sequence[ChunkId]) -> list[Hit]:
        names = {"user_id": user_id, "chunk_ids": list(chunk_ids)}
        with self._database.connection() as connection:
            rows = connection.execute(query("hits"), names).fetchall()
        return [Hit(**row | {"score": 0.0, "heading_path": tuple(row["heading_path"])}) for row in rows]
