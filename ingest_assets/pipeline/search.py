"""Hybrid search: nearest vectors and matching words, fused by reciprocal rank."""

from dataclasses import replace

from ingest_assets.domain.documents import UserId
from ingest_assets.domain.fusion import reciprocal_rank_fusion
from ingest_assets.domain.search import Hit
from ingest_assets.pipeline.ports import Embedder, SearchIndex

RANKED = 50
"""How deep each ranking goes into the fusion."""


def search(user_id: UserId, query: str, limit: int, *, index: SearchIndex, embedder: Embedder) -> list[Hit]:
    """The user's best passages, best first."""
    depth = max(RANKED, limit)
    near = index.nearest(user_id, embedder.embed_query(query, user_id), embedder.model, depth)
    matching = index.matching(user_id, query, depth)
    scores = dict(reciprocal_rank_fusion([near, matching])[:limit])
    hits = [replace(hit, score=scores[hit.chunk_id]) for hit in index.hits(user_id, list(scores))]
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))
