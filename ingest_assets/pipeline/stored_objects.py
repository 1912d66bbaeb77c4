"""The keys of a document's bytes in the object store."""

from ingest_assets.domain.documents.document import Document, DocumentId, UserId
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.reading import Documents


def folder_key(user_id: UserId, document_id: DocumentId) -> str:
    """Return the folder that holds every stored byte of a document, of all its versions."""
    return f"{user_id}/{document_id}"


def content_key(document: Document) -> str:
    return arrived_content_key(document.user_id, document.document_id, document.content_sha)


def arrived_content_key(user_id: UserId, document_id: DocumentId, content_sha: str) -> str:
    return f"{folder_key(user_id, document_id)}/{content_sha}"


def parse_key(document: Document, parsed_sha: str) -> str:
    return f"{folder_key(document.user_id, document.document_id)}/{parsed_sha}.md"


def remove_if_deleted(document: Document, documents: Documents, objects: ObjectStore) -> None:
    """Remove what a worker stored of a document that has been deleted meanwhile."""
    if documents.find(document.document_id) is None:
        objects.delete_below(folder_key(document.user_id, document.document_id))
