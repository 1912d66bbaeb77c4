"""Documents as somebody may see them: a user sees only their own."""

from collections.abc import Sequence
from typing import Protocol

from ingest_assets.domain.documents.document import Document, DocumentId
from ingest_assets.domain.queue.jobs import Event, FailedDocument, JobStatus
from ingest_assets.domain.queue.stages import State


class Documents(Protocol):
    def find(self, document_id: DocumentId) -> Document | None:
        """Return the document at its newest version."""

    def sources(self, document_id: DocumentId) -> list[str]:
        """Return the places from which the document came."""

    def status(self, document_id: DocumentId) -> JobStatus | None:
        """Return where the document stands."""

    def states(self, document_ids: Sequence[DocumentId]) -> dict[State, int]:
        """Return how many of these documents' jobs are in each state."""

    def history(self, document_id: DocumentId) -> list[Event]:
        """Return what happened to the document, oldest first, even if it has been deleted."""

    def counts(self) -> dict[str, int]:
        """Return the numbers of `documents`, `searchable` ones and `dead_letters`."""

    def by_stage_and_state(self) -> dict[str, int]:
        """Return how many jobs there are by "stage/state"."""

    def failed(self) -> list[FailedDocument]:
        """Return dead letters and documents that wait for a retry, newest first."""
