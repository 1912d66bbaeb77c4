"""Files within a document, such as a mail's attachments, become documents of their own, within limits."""

from dataclasses import dataclass

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.queue.stages import Stage, State

DEEPEST = 3
"""How far below a submitted document attachments are taken out of each other."""
MOST_ATTACHMENTS = 200
"""The most attachments that one document may have."""
MOST_BYTES = 100_000_000
"""The most bytes that the attachments of one document may have together."""
MOST_BELOW = 2_000
"""The most attachments that lie below one submitted document, however they are nested: each may hold many others."""
MOST_BYTES_BELOW = 500_000_000
LONGEST_ATTACHMENT_PATH = 600
"""In characters: an index of the database holds no more than some 2,700 bytes."""


@dataclass(frozen=True, slots=True)
class SkippedAttachment:
    path: str
    code: str
    """Why it did not become a document."""


@dataclass(slots=True)
class Room:
    """How many attachments a document may have, and of how many bytes together."""

    attachments: int
    size: int

    def take(self, size: int) -> bool:
        """Return whether there is room for one more, and take it."""
        if self.attachments < 1 or size > self.size:
            return False
        self.attachments -= 1
        self.size -= size
        return True


@dataclass(frozen=True, slots=True)
class ListedAttachment:
    """What became of an attachment."""

    path: str
    document_id: DocumentId | None
    """None if it was skipped."""
    stage: Stage | None
    state: State | None
    searchable: bool
    code: str | None
    """Why it was skipped, or why its document failed."""
