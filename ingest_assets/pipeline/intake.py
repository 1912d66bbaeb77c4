"""A file comes in: checked, hashed, stored, queued."""

from hashlib import sha256

from ingest_assets.domain.documents import Acceptance, AcceptanceStatus, Arrival, Document, DocumentId, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.file_types import recognise
from ingest_assets.domain.filenames import safe_filename
from ingest_assets.pipeline.ports import Documents, ObjectStore


def receive(
    content: bytes,
    filename: str,
    source: str,
    user_id: UserId,
    *,
    documents: Documents,
    objects: ObjectStore,
    max_bytes: int,
    actor: str,
    priority: int = 0,
) -> Acceptance:
    """Queues a file for the pipeline. Raises what `check` does; nothing is kept then."""
    arrival = check(content, filename, source, user_id, max_bytes, priority)
    return take_in(content, arrival, documents=documents, objects=objects, actor=actor)


def take_in(content: bytes, arrival: Arrival, *, documents: Documents, objects: ObjectStore, actor: str) -> Acceptance:
    """Queues a checked file."""
    while True:
        found = documents.locate(arrival)
        if found.status is not AcceptanceStatus.UNCHANGED:
            # Stored before it is queued: a crash in between leaves bytes without a row, never a row without bytes.
            objects.put(content_key(arrival.user_id, found.document_id, arrival.content_sha), content)
        accepted = documents.accept(arrival, found.document_id, actor)
        if accepted is not None:
            return accepted


def check(content: bytes, filename: str, source: str, user_id: UserId, max_bytes: int, priority: int = 0) -> Arrival:
    """Raises PermanentError too_large, empty_file, unsupported, type_mismatch, encrypted, corrupt, bomb."""
    if len(content) > max_bytes:
        raise PermanentError("too_large", limit=max_bytes)
    file_type = recognise(content, filename)
    return Arrival(
        user_id=user_id,
        source=source,
        filename=safe_filename(filename),
        media_type=file_type.value,
        byte_size=len(content),
        content_sha=sha256(content).hexdigest(),
        priority=priority,
    )


def content_key(user_id: UserId, document_id: DocumentId, content_sha: str) -> str:
    return f"{folder_key(user_id, document_id)}/{content_sha}"


def parse_key(document: Document, parsed_sha: str) -> str:
    return f"{folder_key(document.user_id, document.document_id)}/{parsed_sha}.md"


def folder_key(user_id: UserId, document_id: DocumentId) -> str:
    """Below this lies every stored byte of a document, of all its versions."""
    return f"{user_id}/{document_id}"
