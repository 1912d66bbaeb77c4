"""How people name documents: by id, the beginning of one, file name or path."""

import re
from dataclasses import dataclass
from uuid import UUID

from ingest_assets.domain.documents.document import DocumentId

DIGITS = 32
FEWEST_DIGITS = 4
"""With fewer, the beginning of an id would also be an ordinary word too often."""
BEGINNING = re.compile(r"[0-9a-fA-F]{4,8}(-[0-9a-fA-F-]{0,27})?|[0-9a-fA-F]{4,32}")


@dataclass(frozen=True, slots=True)
class DocumentName:
    """What somebody has called a document."""

    text: str
    source: str
    """The same as an absolute path, as intake records it."""

    @property
    def ids(self) -> tuple[DocumentId, DocumentId] | None:
        """Return the first and the last id that begin so, or None if no id does."""
        digits = self.text.replace("-", "")
        if not BEGINNING.fullmatch(self.text) or not FEWEST_DIGITS <= len(digits) <= DIGITS:
            return None
        first, last = (UUID(digits.ljust(DIGITS, fill)) for fill in "0f")
        return DocumentId(first), DocumentId(last)


@dataclass(frozen=True, slots=True)
class NamedDocument:
    """A document that a name may mean."""

    document_id: DocumentId
    filename: str
    source: str | None
    """Where it came from first."""
