"""What a search gives."""

from dataclasses import dataclass

from ingest_assets.domain.documents.document import ChunkId, DocumentId, UserId, Vectors


@dataclass(frozen=True, slots=True)
class Hit:
    document_id: DocumentId
    chunk_id: ChunkId
    score: float
    """Of reciprocal rank fusion: comparable within one answer only."""
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
    """Shape (VECTOR_DIMENSIONS,)."""
    rows: int
    """How many vectors of the same model its user has."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What share of the nearest chunks a search finds."""

    queries: int
    found: int
    expected: int

    @property
    def share(self) -> float:
        return self.found / self.expected if self.expected else 1.0
