"""What readers may see of documents: a user sees only their own."""

from collections.abc import Collection, Sequence
from typing import Protocol

from ingest_assets.domain.documents.attachments import ListedAttachment
from ingest_assets.domain.documents.document import Document, DocumentId, UserId
from ingest_assets.domain.documents.listing import ListedDocument, Listing
from ingest_assets.domain.documents.naming import DocumentName, NamedDocument
from ingest_assets.domain.queue.jobs import Announcement, Event, FailedCause, FailedDocument, JobStatus
from ingest_assets.domain.queue.stages import State


class Documents(Protocol):
    def find(self, document_id: DocumentId) -> Document | None:
        """Return the document at its newest version, or None."""

    def named(self, name: DocumentName, limit: int) -> list[NamedDocument]:
        """Return the documents that a name may mean, by file name, up to `limit`.

        These are the ones that came from its path; if there are none, those with this file name; if there are none,
        those with this file name in other letters' case; if there are none, those whose ids begin so.
        """

    def metadata(self, document_id: DocumentId) -> dict[str, str] | None:
        """Return what is known about the document besides its text, or None if there is no such document."""

    def facets(
        self, user_id: UserId, keys: Sequence[str], limit: int, documents: Sequence[DocumentId] | None = None
    ) -> dict[str, dict[str, int]]:
        """Return how many of the user's documents have each value of these keys, by key, the most frequent first.

        Args:
            user_id: Whose documents are counted.
            keys: Keys of metadata; one that no document has gets no values.
            limit: The most values of a key.
            documents: The documents to count; None for all.
        """

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

    def attachments(self, document_id: DocumentId) -> list[ListedAttachment]:
        """Return what became of the document's attachments."""

    def listed(self, listing: Listing) -> list[ListedDocument]:
        """Return the documents that are asked for, newest first.

        Raises:
            PermanentError: unknown_document, if there is none of the id behind which the list is to begin.
        """

    def announced(self, after: int, until: int, limit: int) -> list[Announcement]:
        """Return how documents became done or failed behind an event and up to another, oldest first.

        Nothing is told of documents that have been deleted since.
        """

    def failed(self, code: str | None = None, limit: int | None = None) -> list[FailedDocument]:
        """Return dead letters and documents that wait for a retry, newest first: all of them, or those with a code."""

    def failed_causes(self) -> list[FailedCause]:
        """Return the causes of these failures, the one with most documents first."""

    def failed_sources(self, code: str) -> dict[UserId, list[str]]:
        """Return the sources of the dead letters with a code, by user."""


class Announcements(Protocol):
    """The history of everybody's documents, for whoever is to notice when something was added."""

    def horizon(self) -> int | None:
        """Return the id of an event up to which nothing will be added any more, or None.

        Ids are given out when events are written, not when others see them. While somebody who has written has not
        ended, this returns None, and the next call looks whether the same ones have ended; after an id, it begins anew.
        """

    def users_between(self, users: Collection[UserId], after: int, until: int) -> set[UserId]:
        """Return those of these users whose documents became done or failed behind an event and up to another."""
