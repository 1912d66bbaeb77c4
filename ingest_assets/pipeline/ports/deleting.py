"""What deletion needs of the database."""

from typing import Protocol

from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.queue.jobs import Actor


class Deletions(Protocol):
    """Documents that are deleted, and what may be left of them."""

    def owner(self, document_id: DocumentId) -> UserId | None:
        """Return the owner of the document, even if it was deleted, or None if it never existed."""

    def delete(self, document_id: DocumentId, actor: Actor, *, intake_is_paused: bool = False) -> list[DocumentId]:
        """Remove every row of the document but its events, and its ids at providers from the ledger.

        With it go the documents that were taken out of it and came from nowhere else; meanwhile the owner's intake
        waits, so that they come from nowhere else in the end. Notes remain. Deleting again does no harm, and removes
        what was added since.

        Args:
            document_id: The document.
            actor: Who deletes it.
            intake_is_paused: Whether the caller holds the owner's intake back already.

        Returns:
            The documents whose rows are gone, this one first.
        """

    def traces(self, document_id: DocumentId) -> dict[str, int]:
        """Return by table how many rows still hold more of the document than its ids."""

    def confirm(self, document_id: DocumentId) -> None:
        """Record that a scan found nothing of the document."""

    def to_finish(self, limit: int) -> list[DocumentId]:
        """Return deleted documents that need another scan, first deleted first.

        They have no clean scan yet, or none later than a day after the deletion.
        """
