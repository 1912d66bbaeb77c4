"""What happens in the system, as an observer is told: ids, counts, codes, durations and names of tools, never text."""

from dataclasses import dataclass

from ingest_assets.domain.documents.document import DocumentId, Producer
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.domain.search.index_policy import IndexAction


@dataclass(frozen=True, slots=True)
class DocumentFinished:
    """A document's newest version has become searchable."""

    document_id: DocumentId
    version: int
    chunks: int


@dataclass(frozen=True, slots=True)
class DocumentFailed:
    """An attempt at a document ended in an error."""

    document_id: DocumentId
    stage: Stage
    """Where the job stood when it was claimed."""
    attempt: int
    code: str


@dataclass(frozen=True, slots=True)
class ClaimLost:
    """Somebody else has taken over what this worker was working on."""

    document_id: DocumentId
    claim: str


@dataclass(frozen=True, slots=True)
class ProviderAnswered:
    """A call of a provider has ended."""

    provider: str
    seconds: float
    code: str | None
    """Why it failed; None if it did not."""


@dataclass(frozen=True, slots=True)
class IndexChanged:
    """The vector index of a model was built or dropped."""

    model: Producer
    action: IndexAction


@dataclass(frozen=True, slots=True)
class ErrorPassedOver:
    """Something went wrong that the work does not depend on, and that is made good later."""

    activity: str
    """What was being done, as a phrase: "renewing a lease"."""
    error: IngestError


Fact = DocumentFinished | DocumentFailed | ClaimLost | ProviderAnswered | IndexChanged | ErrorPassedOver
