"""The results of a search."""

from dataclasses import dataclass

from ingest_assets.domain.documents.document import ChunkId, DocumentId, UserId, Vectors


@dataclass(frozen=True, slots=True)
class Hit:
    document_id: DocumentId
    chunk_id: ChunkId
    score: float
    """The score of reciprocal rank fusion, comparable only within one answer."""
    text: str
    heading_path: tuple[str, ...]
    page: int | None
    filename: str


@dataclass(frozen=True, slots=True)
class VectorSample:
    """A stored vector."""

    chunk_id: ChunkId
    user_id: UserId
    vector: Vectors
    """The vector, of shape (VECTOR_DIMENSIONS,)."""
    rows: int
    """How many vectors of the same model the chunk's user has."""


@dataclass(frozen=True, slots=True)
class Recall:
    """The share of the nearest chunks that a search finds."""

    queries: int
    found: int
    expected: int

    @property
    def share(self) -> float:
        return self.found / self.expected if self.expected else 1.0
