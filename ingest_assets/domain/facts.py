"""What an observer is told: ids, counts, codes, durations and names of tools, never text."""

from dataclasses import dataclass

from ingest_assets.domain.documents.document import DocumentId, Producer
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.domain.search.index_policy import IndexAction


@dataclass(frozen=True, slots=True)
class DocumentFinished:
    """A document's newest version has become live."""

    document_id: DocumentId
    version: int
    chunks: int
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class DocumentFailed:
    """An attempt at a document has ended in an error."""

    document_id: DocumentId
    stage: Stage
    """The job's stage when it was claimed."""
    attempt: int
    code: str
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimLost:
    """Another worker has taken over the job that this one was working on."""

    document_id: DocumentId
    claim: str
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimingPaused:
    """A worker claims nothing for a while, because something that all documents need is away."""

    error: IngestError


@dataclass(frozen=True, slots=True)
class ProviderAnswered:
    """A call of a provider has ended."""

    provider: str
    seconds: float
    code: str | None
    """The code of the error, or None if the call succeeded."""
    document_id: DocumentId | None = None


@dataclass(frozen=True, slots=True)
class BillSurprised:
    """A provider has billed a call with many times the credits that were expected."""

    provider: str
    call_id: int
    """The call's number in the ledger."""
    expected: int
    billed: int


@dataclass(frozen=True, slots=True)
class IndexChanged:
    """The vector index of a model was built or dropped."""

    model: Producer
    action: IndexAction


@dataclass(frozen=True, slots=True)
class ErrorPassedOver:
    """An error was swallowed: the work does not depend on what failed, and a later try makes up for it."""

    activity: str
    """The activity that failed, as a phrase: "renewing a lease"."""
    error: IngestError


Fact = (
    DocumentFinished
    | DocumentFailed
    | ClaimLost
    | ClaimingPaused
    | ProviderAnswered
    | BillSurprised
    | IndexChanged
    | ErrorPassedOver
)
