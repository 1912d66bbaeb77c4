"""What the vector index needs."""

from collections.abc import Callable, Sequence
from typing import Protocol

from ingest_assets.domain.documents.document import ChunkId, Producer
from ingest_assets.domain.search.hits import VectorSample
from ingest_assets.domain.search.index_policy import IndexAction, IndexState


class VectorIndex(Protocol):
    """What finds the nearest vectors of users who have very many; without it, searches compare all of them."""

    def state(self, model: Producer) -> IndexState | None:
        """None while somebody changes it."""

    def keep(self, model: Producer, decide: Callable[[IndexState], IndexAction]) -> IndexAction | None:
        """Does what `decide` says of the state, which nobody else changes meanwhile; None where somebody else is at it.

        Clears away before what an interruption left and what other models need no more. May take minutes.
        """


class VectorSamples(Protocol):
    """Stored vectors as queries whose right answer is known by comparing everything."""

    def models(self) -> list[Producer]:
        """Those that have stored vectors."""

    def draw(self, model: Producer, count: int) -> list[VectorSample]:
        """At random; fewer where there are fewer."""

    def compare(self, sample: VectorSample, model: Producer, found: Sequence[ChunkId], limit: int) -> tuple[int, int]:
        """How many of `found` are among the sample's `limit` nearest other chunks, and how many those are."""
