"""Work that a provider does for a document while nobody here does anything but wait."""

from dataclasses import dataclass

from ingest_assets.domain.documents.document import DocumentId


@dataclass(frozen=True, slots=True)
class RemoteJob:
    remote_id: str
    """The provider's own."""
    booked: bool
    """Whether the ledger holds what it costs."""


@dataclass(frozen=True, slots=True)
class CalledBack:
    """Whose job a provider has called back for."""

    document_id: DocumentId
    completed_before: bool
    """Whether an earlier call had said so already."""
