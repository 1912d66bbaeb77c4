"""Documents made by other tools than those in use now."""

from dataclasses import dataclass
from enum import StrEnum

from ingest_assets.domain.documents.document import DocumentId


class FirstStep(StrEnum):
    """The first step to do again; the steps after it reuse whatever still fits."""

    PARSE = "parse"
    CHUNK = "chunk"
    EMBED = "embed"


@dataclass(frozen=True, slots=True)
class OutdatedDocument:
    document_id: DocumentId
    media_type: str
    byte_size: int
    pages: int | None
    """The number of pages; None if the format has none."""
    characters: int
    """The length of the text found in the document."""
    first_step: FirstStep
