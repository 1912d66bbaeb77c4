"""What a search returns, and what its recall is measured by."""

from dataclasses import dataclass

from ingest_assets.domain.documents.document import ChunkId, DocumentId, UserId, Vectors


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that answers a query."""

    document_id: DocumentId
    chunk_id: ChunkId
    score: float
    """The length of the longest number that it shares with the query, plus the sum of reciprocal ranks.

    It is comparable within one answer only.
    """
    text: str
    heading_path: tuple[str, ...]
    page: int | None
    filename: str


@dataclass(frozen=True, slots=True)
class VectorSample:
    """A stored vector, used as a query."""

    chunk_id: ChunkId
    user_id: UserId
    vector: Vectors
    """Shape (VECTOR_DIMENSIONS,)."""
    rows: int
    """How many vectors of the same model its user has."""


@dataclass(frozen=True, slots=True)
class Recall:
    """How many of the nearest chunks searches found."""

    queries: int
    found: int
    expected: int

    @property
    def share(self) -> float:
        """The share that was found; 1 if there was nothing to find."""
        return self.found / self.expected if self.expected else 1.0
