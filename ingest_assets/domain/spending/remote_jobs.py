"""Work that a provider does for a document while a worker only waits."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.spending.providers import ProviderName


@dataclass(frozen=True, slots=True)
class RemoteJob:
    remote_id: str
    """The provider's own id of the job."""
    booked: bool
    """Whether the ledger holds the cost of the job."""
    call_id: int | None = None
    """The call in the ledger that pays for the job, if it is known."""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request for a job whose answer has never arrived."""

    request_id: UUID
    asked_at: datetime
    call_id: int | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """What a provider still owes: to say what a job costs."""

    provider: ProviderName
    remote_id: str
    call_id: int | None


@dataclass(frozen=True, slots=True)
class Unheard:
    """A request for a job whose answer has never arrived, after so long that its job would be found."""

    provider: ProviderName
    request_id: UUID
    asked_at: datetime
    call_id: int | None


@dataclass(frozen=True, slots=True)
class Leftover:
    """A job that nobody needs here any more and that its provider may still keep."""

    provider: ProviderName
    request_id: UUID
    asked_at: datetime
    remote_id: str | None
    """None if the answer to the request was lost."""
    call_id: int | None
    is_old: bool
    """Whether a job of the request would have been found by now."""


@dataclass(frozen=True, slots=True)
class CalledBack:
    """The document whose remote job a provider has reported in a callback."""

    document_id: DocumentId
    completed_before: bool
    """Whether an earlier callback had already reported that the job was complete."""
