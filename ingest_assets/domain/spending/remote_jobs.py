"""Work that a provider does for a document while a worker only waits."""

from dataclasses import dataclass

from ingest_assets.domain.documents.document import DocumentId


@dataclass(frozen=True, slots=True)
class RemoteJob:
    remote_id: str
    """The provider's own id of the job."""
    booked: bool
    """Whether the ledger holds the cost of the job."""
    call_id: int | None = None
    """The call in the ledger that pays for the job, if it is known."""


@dataclass(frozen=True, slots=True)
class CalledBack:
    """The document whose remote job a provider has reported in a callback."""

    document_id: DocumentId
    completed_before: bool
    """Whether an earlier callback had already reported that the job was complete."""
