"""What is kept of the files within documents."""

from collections.abc import Sequence
from typing import Protocol

from ingest_assets.domain.documents.attachments import Room, SkippedAttachment
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.queue.jobs import Actor, Job


class AttachmentRecords(Protocol):
    def depth(self, document_id: DocumentId) -> int:
        """Return how far a document is below the nearest submitted one; 0 if it was submitted itself."""

    def room(self, document_id: DocumentId, limit: Room) -> Room:
        """Return what the others below the submitted document leave of the limit, but never less than is there already.

        A document that was submitted itself has only its own attachments below it, and theirs.
        """

    def forget_other_parse(self, job: Job) -> None:
        """Forget the parse of an earlier content of a held job's document; do nothing if the claim is lost.

        A stored parse says what is in the document only as long as nobody has begun to replace its attachments.
        """

    def settle(
        self, job: Job, sources: Sequence[str], skipped: Sequence[SkippedAttachment], actor: Actor
    ) -> list[DocumentId]:
        """Record that these are all the attachments of a held job's document; do nothing if the claim is lost.

        The rows of earlier attachments that came from nowhere else go at once, so that nobody else can mean them.

        Args:
            job: The job.
            sources: The sources of those that became documents.
            skipped: The others.
            actor: Who works on the document.

        Returns:
            The documents whose rows are gone; a deletion removes their bytes.
        """
