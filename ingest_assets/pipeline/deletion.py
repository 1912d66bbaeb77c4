"""A document leaves: its rows, with a note that it did, then its bytes; then a scan looks for what is left.

Whatever interrupts it, the note brings it back: repeating it is how it goes on.
"""

from dataclasses import dataclass

from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import IngestError, PermanentError, TransientError
from ingest_assets.domain.facts import ErrorPassedOver
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.ports.deleting import Deletions
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.stored_objects import folder_key

AT_ONCE = 10_000
"""Deletions finished in one go; whoever comes next goes on."""


@dataclass(frozen=True, slots=True)
class Finished:
    confirmed: int
    incomplete: int
    """Something is left of these, or the document store does not answer."""


@dataclass(frozen=True)
class Deletion:
    deletions: Deletions
    objects: ObjectStore
    observer: Observer

    def delete(self, document_id: DocumentId, actor: Actor, *, owner: UserId | None = None) -> None:
        """Remove a document and leave its history without content; remove what is left of one deleted before.

        Args:
            document_id: The document.
            actor: Who deletes it.
            owner: Whose it must be; anybody's if None.

        Raises:
            PermanentError: unknown_document, also if it is another user's than `owner`.
            TransientError: deletion_incomplete, if a scan still finds something; storage_failed.
        """
        user_id = self.deletions.owner(document_id)
        if user_id is None or owner not in (None, user_id):
            raise PermanentError("unknown_document")
        self.deletions.delete(document_id, actor)
        self.objects.delete_below(folder_key(user_id, document_id))
        left = self.traces_of(document_id, user_id)
        if left:
            raise TransientError("deletion_incomplete", found=sum(left.values()), place=", ".join(left))
        self.deletions.confirm(document_id)

    def traces_of(self, document_id: DocumentId, user_id: UserId) -> dict[str, int]:
        """Return what is left of a deleted document: how many rows by table, and how many objects."""
        objects_left = self.objects.count_below(folder_key(user_id, document_id))
        return self.deletions.traces(document_id) | ({"objects": objects_left} if objects_left else {})

    def finish(self, actor: Actor) -> Finished:
        """Go on with deletions that were interrupted, and look again, a day later, at those that were not."""
        found = self.deletions.to_finish(AT_ONCE)
        incomplete = 0
        for document_id in found:
            try:
                self.delete(document_id, actor)
            except IngestError as error:
                self.observer.observe(ErrorPassedOver("finishing a deletion", error))
                incomplete += 1
        return Finished(len(found) - incomplete, incomplete)
