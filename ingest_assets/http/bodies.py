"""The JSON of requests and answers, which is that of the command line."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from ingest_assets.domain.documents.attachments import ListedAttachment
from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus, Document
from ingest_assets.domain.documents.listing import ListedDocument
from ingest_assets.domain.documents.metadata import MOST_KEYS
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.queue.jobs import Announcement, Event, JobStatus, Payload
from ingest_assets.domain.queue.stages import Stage, State
from ingest_assets.domain.search.hits import Hit
from ingest_assets.domain.text.normalisation import normalise
from ingest_assets.http.ports import Outcome
from ingest_assets.http.problems import hint_of

EXAMPLE_ID = "3f2c7a52-6a0f-4f0e-9a51-0f5b8f6f2f11"
MOST_HITS = 100
MOST_CONDITIONS = 20
LONGEST_CONDITION = 600


def _words(query: str) -> str:
    normalised = normalise(query)
    if not normalised.strip():
        raise ValueError("The query has no words")
    return normalised


class SearchRequest(BaseModel):
    """What to search for."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_words)] = Field(
        description="A question, or some words.", examples=["What is covered for emergency services?"]
    )
    limit: int = Field(default=5, ge=1, le=MOST_HITS, description="The most passages to return.", examples=[5])
    where: list[Annotated[str, Field(max_length=LONGEST_CONDITION)]] = Field(
        default_factory=list,
        max_length=MOST_CONDITIONS,
        description="What the metadata of the documents must meet, all of it.",
        examples=[["line_of_business=motor", "date>=2024-01-01"]],
    )


class DescriptionChange(BaseModel):
    """New metadata by key; null removes a key, and keys that are not named stay."""

    model_config = ConfigDict(extra="forbid")

    metadata: dict[str, str | int | float | None] = Field(
        max_length=MOST_KEYS, examples=[{"policy_number": "POL-2024-004471", "date": "2024-07-03", "broker": None}]
    )


class Description(BaseModel):
    """What is known about a document besides its text."""

    metadata: dict[str, str] = Field(examples=[{"policy_number": "POL-2024-004471", "date": "2024-07-03"}])


class Submission(BaseModel):
    """What became of a submitted document."""

    document_id: UUID = Field(examples=[EXAMPLE_ID])
    job_id: UUID = Field(examples=["b0b7c9d8-57d1-4a9b-8f0e-6a7a5d0f3c55"])
    status: AcceptanceStatus = Field(examples=["queued"])

    @classmethod
    def of(cls, accepted: Acceptance) -> "Submission":
        return cls(document_id=accepted.document_id, job_id=accepted.job_id, status=accepted.status)


class WarningCount(BaseModel):
    """A kind of content that a searchable document lacks, and how often."""

    kind: WarningKind = Field(examples=["pages_without_text"])
    count: int = Field(examples=[2])


class DocumentStatus(BaseModel):
    """Where a document stands, and why it failed if it did."""

    document_id: UUID = Field(examples=[EXAMPLE_ID])
    job_id: UUID
    filename: str = Field(examples=["policy.pdf"])
    media_type: str = Field(examples=["application/pdf"])
    byte_size: int = Field(examples=[102400])
    stage: Stage = Field(examples=["embedded"])
    state: State = Field(examples=["done"])
    searchable: bool = Field(description="Whether searches find the document, in its newest version or an older one.")
    chunks: int = Field(examples=[42])
    version: int = Field(examples=[1])
    live_version: int | None = Field(description="The version that searches find.", examples=[1])
    attempts: int = Field(examples=[0])
    next_retry_at: datetime | None
    finished_at: datetime | None
    warnings: list[WarningCount] = Field(description="What of the document could not be read.")
    code: str | None = Field(default=None, description="The error of the last failure.", examples=[None])
    message: str | None = Field(default=None, examples=[None])
    hint: str | None = Field(default=None, examples=[None])
    metadata: dict[str, str] = Field(description="What is known about the document besides its text.", examples=[{}])

    @classmethod
    def of(cls, document: Document, status: JobStatus, metadata: dict[str, str]) -> "DocumentStatus":
        return cls(
            document_id=status.document_id,
            job_id=status.job_id,
            filename=document.filename,
            media_type=document.media_type,
            byte_size=document.byte_size,
            stage=status.stage,
            state=status.state,
            searchable=status.searchable,
            chunks=status.chunks,
            version=status.version,
            live_version=status.live_version,
            attempts=status.attempts,
            next_retry_at=status.next_retry_at,
            finished_at=status.finished_at,
            warnings=[WarningCount(kind=kind, count=count) for kind, count in status.warnings.items()],
            code=status.error_code,
            message=status.error_message,
            hint=hint_of(status.error_code, status.error_hint),
            metadata=metadata,
        )


class ListedDocumentStatus(BaseModel):
    """Where a document of a list stands."""

    document_id: UUID = Field(examples=[EXAMPLE_ID])
    filename: str = Field(examples=["policy.pdf"])
    stage: Stage = Field(examples=["embedded"])
    state: State = Field(examples=["done"])
    searchable: bool = Field(description="Whether searches find the document, in its newest version or an older one.")
    warnings: list[WarningCount] = Field(description="What of the document could not be read.")
    code: str | None = Field(description="The error of the last failure.", examples=[None])

    @classmethod
    def of(cls, document: ListedDocument) -> "ListedDocumentStatus":
        return cls(
            document_id=document.document_id,
            filename=document.filename,
            stage=document.stage,
            state=document.state,
            searchable=document.searchable,
            warnings=[WarningCount(kind=kind, count=count) for kind, count in document.warnings.items()],
            code=document.code,
        )


class DocumentPage(BaseModel):
    """A page of a list of documents."""

    documents: list[ListedDocumentStatus]
    next: UUID | None = Field(description="The `after` of the next page; null on the last one.", examples=[None])


class AnnouncedDocument(BaseModel):
    """How a document has ended, or that it waits for a retry."""

    document_id: UUID = Field(examples=[EXAMPLE_ID])
    version: int = Field(examples=[1])
    state: State = Field(description="done, deadletter or retryable", examples=["done"])
    code: str | None = Field(description="Why it failed.", examples=[None])
    searchable: bool = Field(description="Whether searches find the document now, in this version or another one.")
    occurred_at: datetime

    @classmethod
    def of(cls, announcement: Announcement) -> "AnnouncedDocument":
        return cls(
            document_id=announcement.document_id,
            version=announcement.version,
            state=announcement.state,
            code=announcement.code,
            searchable=announcement.searchable,
            occurred_at=announcement.occurred_at,
        )


class AttachmentStatus(BaseModel):
    """What became of a file within a document."""

    path: str = Field(description="Its name or its path within the document.", examples=["report.pdf"])
    document_id: UUID | None = Field(description="Its own document; null if it was skipped.", examples=[EXAMPLE_ID])
    state: State | None = Field(examples=["done"])
    searchable: bool
    code: str | None = Field(description="Why it was skipped, or why its document failed.", examples=[None])

    @classmethod
    def of(cls, attachment: ListedAttachment) -> "AttachmentStatus":
        return cls(
            path=attachment.path,
            document_id=attachment.document_id,
            state=attachment.state,
            searchable=attachment.searchable,
            code=attachment.code,
        )


class HistoryEvent(BaseModel):
    """One event in a document's history."""

    at: datetime
    version: int = Field(examples=[1])
    stage: Stage = Field(examples=["parsed"])
    state: State = Field(examples=["working"])
    code: str | None = Field(examples=[None])
    payload: Payload = Field(examples=[{"pages": 12, "seconds": 0.4}])

    @classmethod
    def of(cls, event: Event) -> "HistoryEvent":
        return cls(
            at=event.occurred_at,
            version=event.version,
            stage=event.stage,
            state=event.state,
            code=event.code,
            payload=event.payload,
        )


class SearchHit(BaseModel):
    """One passage that answers the query."""

    document_id: UUID = Field(examples=[EXAMPLE_ID])
    chunk_id: UUID
    score: float = Field(description="Scores can be compared only within one answer.", examples=[0.0325])
    text: str = Field(examples=["Emergency services are covered at 80 percent after the deductible."])
    heading_path: list[str] = Field(examples=[["Benefits", "Emergency care"]])
    page: int | None = Field(description="The page, counted from 1.", examples=[7])
    filename: str = Field(examples=["policy.pdf"])

    @classmethod
    def of(cls, hit: Hit) -> "SearchHit":
        return cls(
            document_id=hit.document_id,
            chunk_id=hit.chunk_id,
            score=hit.score,
            text=hit.text,
            heading_path=list(hit.heading_path),
            page=hit.page,
            filename=hit.filename,
        )


class CallbackAnswer(BaseModel):
    """What became of a callback."""

    outcome: Outcome = Field(examples=["completed"])


class Condition(BaseModel):
    """The state of the service."""

    status: str = Field(examples=["ok"])
