"""What searches need."""

from collections.abc import Sequence
from typing import Protocol

from ingest_assets.domain.documents.document import ChunkId, Producer, UserId, Vectors
from ingest_assets.domain.search.hits import Hit


class SearchIndex(Protocol):
    def nearest(self, user_id: UserId, vector: Vectors, model: Producer, limit: int) -> list[ChunkId]: ...

    def matching(self, user_id: UserId, query_text: str, limit: int) -> list[ChunkId]:
        """Return the chunks that match by words, best first."""

    def hits(self, user_id: UserId, chunk_ids: Sequence[ChunkId]) -> list[Hit]:
        """Return the chunks as hits without scores, in any order."""
