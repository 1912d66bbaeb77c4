"""Hybrid search: nearest vectors and matching words, fused by reciprocal rank, below what has the query's numbers."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from ingest_assets.domain.documents.document import ChunkId, UserId
from ingest_assets.domain.documents.metadata import Condition
from ingest_assets.domain.search.fusion import reciprocal_rank_fusion
from ingest_assets.domain.search.hits import Hit
from ingest_assets.domain.text.normalisation import normalise
from ingest_assets.pipeline.ports.providers import Embedder
from ingest_assets.pipeline.ports.searching import Documents, SearchIndex

RANKED = 50
"""How many chunks of each ranking are fused, at least."""


@dataclass(frozen=True)
class Search:
    index: SearchIndex
    embedder: Embedder

    def passages(self, user_id: UserId, query: str, limit: int, where: Sequence[Condition] = ()) -> list[Hit]:
        """Return the user's best passages, best first.

        Words are matched while the query is embedded and its vector is compared. Passages with a number of the query
        come first, those with the longest before others.

        Args:
            user_id: The user whose passages are searched.
            query: Whatever somebody typed.
            limit: How many passages to return at most.
            where: What the metadata of their documents must meet.
        """
        documents = self.index.documents_that_meet(user_id, where) if where else None
        if where and not documents:
            return []
        query = normalise(query)
        depth = max(RANKED, limit)
        with ThreadPoolExecutor(1, thread_name_prefix="search") as beside:
            by_words = beside.submit(self._by_words, user_id, query, depth, documents)
            vector = self.embedder.embed_query(query, user_id)
            near = self.index.nearest(user_id, vector, self.embedder.model, depth, documents)
            matching, numbered = by_words.result()
        fused = reciprocal_rank_fusion([near, matching])
        scores = {chunk_id: score + numbered.get(chunk_id, 0) for chunk_id, score in fused}
        best = sorted(scores, key=lambda chunk_id: -scores[chunk_id])[:limit]
        hits = {hit.chunk_id: hit for hit in self.index.hits(user_id, best)}
        return [replace(hits[chunk_id], score=scores[chunk_id]) for chunk_id in best if chunk_id in hits]

    def _by_words(
        self, user_id: UserId, query: str, depth: int, documents: Documents
    ) -> tuple[list[ChunkId], dict[ChunkId, int]]:
        matching = self.index.matching(user_id, query, depth, documents)
        return matching, self.index.numbered(user_id, query, depth, documents)
