"""A document leaves: bytes first, so that a crash in between leaves the row by which to go on."""

from ingest_assets.domain.documents import DocumentId, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.pipeline.intake import folder_key
from ingest_assets.pipeline.ports import Documents, ObjectStore


def delete_document(document_id: DocumentId, actor: str, *, documents: Documents, objects: ObjectStore) -> None:
    """Leaves the history without content. Raises PermanentError unknown_document."""
    document = documents.find(document_id)
    if document is None:
        raise PermanentError("unknown_document")
    remove_document(document.user_id, document_id, actor, documents=documents, objects=objects)


def remove_document(
    user_id: UserId, document_id: DocumentId, actor: str, *, documents: Documents, objects: ObjectStore
) -> None:
    """As `delete_document`, whether the document is still there or not."""
    objects.delete_below(folder_key(user_id, document_id))
    documents.delete(document_id, actor)
