"""Delete documents: first the rows, leaving a note, then the bytes; then a scan looks for anything left.

After an interruption the note remains, and repeating the deletion completes it.
"""

from dataclasses import dataclass

from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.documents.user_key import UNUSED
from ingest_assets.domain.errors import IngestError, PermanentError, TransientError
from ingest_assets.domain.facts import ErrorPassedOver
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.ports.deleting import Deletions
from ingest_assets.pipeline.ports.encrypting import UserKeys
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets.pipeline.stored_objects import folder_key

AT_ONCE = 10_000
"""How many deletions one call finishes; the next call goes on."""


@dataclass(frozen=True, slots=True)
class Finished:
    confirmed: int
    incomplete: int
    """How many deletions left something behind or could not reach the object store."""
    destroyed_keys: int
    """How many users without documents have lost the key of their encrypted objects."""


@dataclass(frozen=True)
class Deletion:
    deletions: Deletions
    objects: ObjectStore
    observer: Observer
    user_keys: UserKeys

    def delete(self, document_id: DocumentId, actor: Actor, *, owner: UserId | None = None) -> None:
        """Remove a document with its attachments; keep its history, without content; finish an earlier deletion.

        Args:
            document_id: The document.
            actor: Who deletes it.
            owner: The user who must own it; None allows any.

        Raises:
            PermanentError: unknown_document, also if the document is not the owner's.
            OutageError: storage_failed.
            TransientError: deletion_incomplete, if the scan still finds something.
        """
        user_id = self.owner_of(document_id, owner)
        for each in self.deletions.delete(document_id, actor):
            self._erase(each, user_id)

    def _erase(self, document_id: DocumentId, user_id: UserId) -> None:
        """Remove the bytes of a document whose rows are gone, and look for anything left."""
        self.objects.delete_below(folder_key(user_id, document_id))
        left = self.traces_of(document_id, user_id)
        if left:
            raise TransientError("deletion_incomplete", found=sum(left.values()), place=", ".join(left))
        self.deletions.confirm(document_id)

    def delete_rows(self, document_id: DocumentId, actor: Actor) -> list[DocumentId]:
        """Make the rows of a document and its attachments go, while its owner's intake is paused.

        Returns:
            The documents that are gone; `delete` or a later run removes their bytes.
        """
        return self.deletions.delete(document_id, actor, intake_is_paused=True)

    def owner_of(self, document_id: DocumentId, wanted: UserId | None = None) -> UserId:
        """Return whose document it is, or was before it was deleted.

        Raises:
            PermanentError: unknown_document, also if it is not the wanted user's.
        """
        user_id = self.deletions.owner(document_id)
        if user_id is None or wanted not in (None, user_id):
            raise PermanentError("unknown_document")
        return user_id

    def traces_of(self, document_id: DocumentId, user_id: UserId) -> dict[str, int]:
        """Return what is left of a deleted document: the number of rows by table, and the number of objects."""
        objects_left = self.objects.count_below(folder_key(user_id, document_id))
        return self.deletions.traces(document_id) | ({"objects": objects_left} if objects_left else {})

    def finish(self, actor: Actor) -> Finished:
        """Finish interrupted deletions, scan completed ones again after a day, and destroy keys that nobody needs."""
        found = self.deletions.to_finish(AT_ONCE)
        incomplete = 0
        for document_id in found:
            try:
                self.delete(document_id, actor)
            except IngestError as error:
                self.observer.observe(ErrorPassedOver("finishing a deletion", error))
                incomplete += 1
        return Finished(len(found) - incomplete, incomplete, self.user_keys.destroy_unused(UNUSED))
