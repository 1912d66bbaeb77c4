"""The keys of a document's bytes in the object store."""

import re
from uuid import UUID

from ingest_assets.domain.documents.document import Document, DocumentId, UserId
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.reading import Documents

PROBES = "doctor/"
"""Where `ingest doctor` tries out the store."""
_NAME = re.compile(r"[0-9a-f]{64}(\.md)?")


def folder_key(user_id: UserId, document_id: DocumentId) -> str:
    """Return the folder that holds every stored byte of a document, of all its versions."""
    return f"{user_id}/{document_id}"


def content_key(document: Document) -> str:
    return arrived_content_key(document.user_id, document.document_id, document.content_sha)


def arrived_content_key(user_id: UserId, document_id: DocumentId, content_sha: str) -> str:
    return f"{folder_key(user_id, document_id)}/{content_sha}"


def parse_key(document: Document, parsed_sha: str) -> str:
    return parsed_key(document.user_id, document.document_id, parsed_sha)


def parsed_key(user_id: UserId, document_id: DocumentId, parsed_sha: str) -> str:
    return f"{folder_key(user_id, document_id)}/{parsed_sha}.md"


def owner_in(key: str) -> tuple[UserId, DocumentId] | None:
    """Return whose document an object belongs to, or None if its key is not one of those above."""
    folders = key.split("/")[:-1]
    try:
        user_id, document_id = map(UUID, folders)
    except ValueError:
        return None
    owner = UserId(user_id), DocumentId(document_id)
    return owner if folder_key(*owner) == "/".join(folders) else None


def is_object_key(key: str) -> bool:
    """Return whether a key is one of those above, and leads nowhere else."""
    return owner_in(key) is not None and _NAME.fullmatch(key.rpartition("/")[2]) is not None


def remove_if_deleted(document: Document, documents: Documents, objects: ObjectStore) -> None:
    """Remove what a worker stored of a document that has been deleted meanwhile."""
    if documents.find(document.document_id) is None:
        objects.delete_below(folder_key(document.user_id, document.document_id))
