"""What the upkeep of the vector index needs."""

from collections.abc import Callable, Sequence
from typing import Protocol

from ingest_assets.domain.documents.document import ChunkId, Producer
from ingest_assets.domain.search.hits import Recall, VectorSample
from ingest_assets.domain.search.index_policy import IndexAction, IndexState


class VectorIndex(Protocol):
    """An index over the vectors of users who have very many; without it, a search compares all of them."""

    def state(self, model: Producer) -> IndexState | None:
        """Return the state of a model's index, or None while another worker changes it."""

    def keep(self, model: Producer, decide: Callable[[IndexState], IndexAction]) -> IndexAction | None:
        """Do what `decide` says of the state, under a lock; return it, or None if another worker holds the lock.

        This first clears away what an interruption left and what other models no longer need. It may take minutes.
        """


class VectorSamples(Protocol):
    """Stored vectors used as queries: comparing everything gives the right answer."""

    def models(self) -> list[Producer]:
        """Return the models that have stored vectors."""

    def draw(self, model: Producer, count: int) -> list[VectorSample]:
        """Return up to `count` random samples of a model."""

    def compare(self, sample: VectorSample, model: Producer, found: Sequence[ChunkId], limit: int) -> tuple[int, int]:
        """Return how many of the sample's `limit` nearest other chunks were `found`, and how many exist."""

    def record(self, model: Producer, recall: Recall) -> None:
        """Remember the recall that was measured last, for the metrics."""
