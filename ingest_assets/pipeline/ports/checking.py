"""What the check of everything that must hold needs of each place that it looks into."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Protocol

from ingest_assets.domain.documents.document import Document, DocumentId
from ingest_assets.domain.integrity import Finding
from ingest_assets.domain.queue.stages import State


class Inspection(Protocol):
    """Looks into one place for what breaks an invariant, while workers go on."""

    def inspect(self) -> Iterator[Finding]:
        """Yield one finding for each invariant that does not hold."""


class StoredDocuments(Protocol):
    """All documents, a page at a time."""

    def page(self, after: DocumentId | None, limit: int) -> Sequence[Document]:
        """Return up to `limit` documents in the order of their ids, beginning behind `after`."""


class ToldOutcomes(Protocol):
    """What Dagster has been told of documents, to be compared with what it shows."""

    def told(self, state: State, patience: timedelta, after: DocumentId | None, limit: int) -> Sequence[DocumentId]:
        """Return up to `limit` documents in the order of their ids, beginning behind `after`.

        They are in this state, Dagster was told so longer ago than `patience`, and it has not unlisted them since.
        """

    def unknown(self, document_ids: Sequence[DocumentId]) -> set[DocumentId]:
        """Return those of these documents that neither exist nor wait until Dagster unlists them."""
