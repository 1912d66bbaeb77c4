"""What deletion needs."""

from typing import Protocol

from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.queue.jobs import Actor


class Deletions(Protocol):
    """Documents that leave, and what may be left of them."""

    def owner(self, document_id: DocumentId) -> UserId | None:
        """Whose the document is, or was before it was deleted; None where there never was one."""

    def delete(self, document_id: DocumentId, actor: Actor) -> None:
        """Removes every row of the document but its events, and what names it at a service from the ledger.

        A note of it is kept. Doing it again does no harm, and removes what came in meanwhile.
        """

    def traces(self, document_id: DocumentId) -> dict[str, int]:
        """By table: how many rows still hold more of the document than its ids."""

    def confirm(self, document_id: DocumentId) -> None:
        """A scan has found nothing of the document."""

    def to_finish(self, limit: int) -> list[DocumentId]:
        """Deleted documents without a scan that found nothing, or with none since a day after; first deleted first."""
