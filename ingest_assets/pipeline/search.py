"""Hybrid search: nearest vectors and matching words, fused by reciprocal rank."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.search.fusion import reciprocal_rank_fusion
from ingest_assets.domain.search.hits import Hit
from ingest_assets.domain.text.normalisation import normalise
from ingest_assets.pipeline.ports.providers import Embedder
from ingest_assets.pipeline.ports.searching import SearchIndex

RANKED = 50
"""How many chunks of each ranking are fused, at least."""


@dataclass(frozen=True)
class Search:
    index: SearchIndex
    embedder: Embedder

    def passages(self, user_id: UserId, query: str, limit: int) -> list[Hit]:
        """Return the user's best passages, best first.

        Words are matched while the query is embedded and its vector is compared.

        Args:
            user_id: The user whose passages are searched.
            query: Whatever somebody typed.
            limit: How many passages to return at most.
        """
        query = normalise(query)
        depth = max(RANKED, limit)
        with ThreadPoolExecutor(1, thread_name_prefix="search") as beside:
            matching = beside.submit(self.index.matching, user_id, query, depth)
            near = self.index.nearest(user_id, self.embedder.embed_query(query, user_id), self.embedder.model, depth)
            fused = reciprocal_rank_fusion([near, matching.result()])[:limit]
        hits = {hit.chunk_id: hit for hit in self.index.hits(user_id, [chunk_id for chunk_id, _ in fused])}
        return [replace(hits[chunk_id], score=score) for chunk_id, score in fused if chunk_id in hits]
