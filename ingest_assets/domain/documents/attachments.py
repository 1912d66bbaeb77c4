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
LONGEST_ATTACHMENT_PATH = 600
"""In characters: an index of the database holds no more than some 2,700 bytes."""


@dataclass(frozen=True, slots=True)
class SkippedAttachment:
    path: str
    code: str
    """Why it did not become a document."""


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
