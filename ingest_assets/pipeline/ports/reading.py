"""What readers may see of documents: a user sees only their own."""

from collections.abc import Sequence
from typing import Protocol

from ingest_assets.domain.documents.document import Document, DocumentId
from ingest_assets.domain.queue.jobs import Event, FailedDocument, JobStatus
from ingest_assets.domain.queue.stages import State


class Documents(Protocol):
    def find(self, document_id: DocumentId) -> Document | None:
        """Return the document at its newest version, or None."""

    def sources(self, document_id: DocumentId) -> list[str]:
        """Return the sources of the document."""

    def status(self, document_id: DocumentId) -> JobStatus | None:
        """Return the document's status, or None."""

    def states(self, document_ids: Sequence[DocumentId]) -> dict[State, int]:
        """Return how many of these documents' jobs are in each state."""

    def history(self, document_id: DocumentId) -> list[Event]:
        """Return what happened to the document, oldest first, even if it has been deleted."""

    def counts(self) -> dict[str, int]:
        """Return the numbers of `documents`, `searchable` ones and `dead_letters`."""

    def by_stage_and_state(self) -> dict[str, int]:
        """Return the number of jobs by "stage/state"."""

    def failed(self) -> list[FailedDocument]:
        """Return dead letters and documents that wait for a retry, newest first."""
