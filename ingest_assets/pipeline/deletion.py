"""A document leaves: its rows, with a note that it did, then its bytes; then a scan looks for what is left.

Whatever interrupts it, the note brings it back: repeating it is how it goes on.
"""

from dataclasses import dataclass

from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import IngestError, PermanentError, TransientError
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.intake import folder_key
from ingest_assets.pipeline.ports.deleting import Deletions
from ingest_assets.pipeline.ports.object_store import ObjectStore

AT_ONCE = 10_000
"""Deletions finished in one go; whoever comes next goes on."""


@dataclass(frozen=True, slots=True)
class Finished:
    confirmed: int
    incomplete: int
    """Something is left of these, or the document store does not answer."""


def delete_document(
    document_id: DocumentId, actor: Actor, *, deletions: Deletions, objects: ObjectStore, owner: UserId | None = None
) -> None:
    """Leaves the history without content; of a document that was deleted before, whatever is left of it goes.

    Raises PermanentError unknown_document, also where it is another user's than `owner`; TransientError
    deletion_incomplete where a scan still finds something, storage_failed.
    """
    user_id = deletions.owner(document_id)
    if user_id is None or owner not in (None, user_id):
        raise PermanentError("unknown_document")
    deletions.delete(document_id, actor)
    objects.delete_below(folder_key(user_id, document_id))
    left = traces_of(document_id, user_id, deletions=deletions, objects=objects)
    if left:
        raise TransientError("deletion_incomplete", found=sum(left.values()), place=", ".join(left))
    deletions.confirm(document_id)


def traces_of(
    document_id: DocumentId, user_id: UserId, *, deletions: Deletions, objects: ObjectStore
) -> dict[str, int]:
    """What is left of a deleted document: rows by table, and objects."""
    objects_left = objects.count_below(folder_key(user_id, document_id))
    return deletions.traces(document_id) | ({"objects": objects_left} if objects_left else {})


def finish_deletions(actor: Actor, *, deletions: Deletions, objects: ObjectStore) -> Finished:
    """Goes on with what was interrupted, and looks once more, a day later, at what was not."""
    found = deletions.to_finish(AT_ONCE)
    incomplete = 0
    for document_id in found:
        try:
            delete_document(document_id, actor, deletions=deletions, objects=objects)
        except IngestError:
            incomplete += 1
    return Finished(len(found) - incomplete, incomplete)
