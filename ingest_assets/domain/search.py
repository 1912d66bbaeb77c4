"""What a search gives."""

from dataclasses import dataclass

from ingest_assets.domain.documents import ChunkId, DocumentId


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
