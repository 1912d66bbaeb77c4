"""Documents that other tools have made than those in use now."""

from dataclasses import dataclass
from enum import StrEnum

from ingest_assets.domain.documents.document import DocumentId


class FirstStep(StrEnum):
    """The first step to be done again; what the steps after it have made is reused as far as it still fits."""

    PARSE = "parse"
    CHUNK = "chunk"
    EMBED = "embed"


@dataclass(frozen=True, slots=True)
class OutdatedDocument:
    document_id: DocumentId
    media_type: str
    byte_size: int
    pages: int | None
    """None where the format has no pages."""
    characters: int
    """Of the text that was found in it."""
    first_step: FirstStep
