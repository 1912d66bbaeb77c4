"""What searches need."""

from collections.abc import Sequence
from typing import Protocol

from ingest_assets.domain.documents.document import ChunkId, DocumentId, Producer, UserId, Vectors
from ingest_assets.domain.documents.metadata import Condition
from ingest_assets.domain.search.hits import Hit

Documents = Sequence[DocumentId] | None
"""The documents to search in; None for all."""


class SearchIndex(Protocol):
    def documents_that_meet(self, user_id: UserId, conditions: Sequence[Condition]) -> list[DocumentId]:
        """Return the user's documents whose metadata meets all conditions."""

    def nearest(
        self, user_id: UserId, vector: Vectors, model: Producer, limit: int, documents: Documents = None
    ) -> list[ChunkId]:
        """Return the chunks whose vectors are nearest, nearest first."""

    def matching(self, user_id: UserId, query_text: str, limit: int, documents: Documents = None) -> list[ChunkId]:
        """Return the chunks that match by words, best first, behind those with a number of the query."""

    def numbered(self, user_id: UserId, query_text: str, limit: int, documents: Documents = None) -> dict[ChunkId, int]:
        """Return the chunks that have a number of the query, however it is written, best first.

        A number may name a policy, a contract, a claim or a vehicle, or be an amount or a date. Each chunk comes with
        the length of the longest one that it shares with the query; numbers that very many chunks have do not count.
        """

    def hits(self, user_id: UserId, chunk_ids: Sequence[ChunkId]) -> list[Hit]:
        """Return the chunks as hits without scores, in any order."""
