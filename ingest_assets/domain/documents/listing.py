"""Lists of documents: which ones are asked for, and what is said of each."""

from dataclasses import dataclass
from datetime import datetime

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.documents.warnings import Warnings
from ingest_assets.domain.queue.stages import Stage, State


@dataclass(frozen=True, slots=True)
class Listing:
    """Which documents to list, newest first; what is None does not matter."""

    state: State | None = None
    code: str | None = None
    name: str | None = None
    """A part of the file name, in any case."""
    since: datetime | None = None
    """When the document came or changed at the earliest."""
    with_warnings: bool = False
    """Whether only documents with warnings are asked for."""
    limit: int = 100
    after: DocumentId | None = None
    """The last document of the page before."""


@dataclass(frozen=True, slots=True)
class ListedDocument:
    document_id: DocumentId
    filename: str
    stage: Stage
    state: State
    code: str | None
    searchable: bool
    warnings: Warnings
