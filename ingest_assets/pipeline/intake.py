"""Content comes in: checked, hashed, stored, queued."""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus, Arrival, Document, DocumentId, UserId
from ingest_assets.domain.errors import IngestError, PermanentError
from ingest_assets.domain.files.file_types import recognise
from ingest_assets.domain.files.filenames import safe_filename
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.concurrency import as_they_come
from ingest_assets.pipeline.ports.documents import Documents
from ingest_assets.pipeline.ports.object_store import ObjectStore

STORED_AT_ONCE = 8
"""Storing is waiting for a disk."""

Incoming = tuple[bytes, Arrival]
"""A content, checked."""


def receive(
    content: bytes,
    filename: str,
    source: str,
    user_id: UserId,
    *,
    documents: Documents,
    objects: ObjectStore,
    max_bytes: int,
    actor: Actor,
    priority: int = 0,
) -> Acceptance:
    """Queues a file for the pipeline. Raises what `check` does; nothing is kept then."""
    arrival = check(content, filename, source, user_id, max_bytes, priority)
    [accepted] = take_in([(content, arrival)], documents=documents, objects=objects, actor=actor)
    return accepted


def take_in(
    incoming: Sequence[Incoming], *, documents: Documents, objects: ObjectStore, actor: Actor
) -> list[Acceptance]:
    """Queues what comes in from different sources of one user: all of it, or nothing where this raises."""
    arrivals = [arrival for _, arrival in incoming]
    while arrivals:
        located = documents.locate(arrivals)
        # Stored before it is queued: a crash in between leaves bytes without a row, never a row without bytes.
        _store(incoming, located, objects)
        accepted = documents.accept(arrivals, located, actor)
        _remove_unused(arrivals, located, accepted or (), objects)
        if accepted is not None:
            return accepted
    return []


def check(content: bytes, filename: str, source: str, user_id: UserId, max_bytes: int, priority: int = 0) -> Arrival:
    """Raises PermanentError too_large, and what `recognise` does."""
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


def _store(incoming: Sequence[Incoming], located: Sequence[Acceptance], objects: ObjectStore) -> None:
    contents = {
        content_key(arrival.user_id, place.document_id, arrival.content_sha): content
        for (content, arrival), place in zip(incoming, located, strict=True)
        if place.status is not AcceptanceStatus.UNCHANGED
    }
    try:
        for _ in as_they_come(
            lambda key: objects.put(key, contents[key]), contents, min(STORED_AT_ONCE, len(contents) or 1)
        ):
            pass
    except IngestError:
        _remove_unused([arrival for _, arrival in incoming], located, (), objects)
        raise


def _remove_unused(
    arrivals: Sequence[Arrival], located: Sequence[Acceptance], accepted: Iterable[Acceptance], objects: ObjectStore
) -> None:
    """Bytes for documents that were not made after all; of a document that exists nothing is removed."""
    made = {each.document_id for each in accepted}
    for arrival, place in zip(arrivals, located, strict=True):
        if place.status is AcceptanceStatus.QUEUED and place.document_id not in made:
            objects.delete_below(folder_key(arrival.user_id, place.document_id))


def content_key(user_id: UserId, document_id: DocumentId, content_sha: str) -> str:
    return f"{folder_key(user_id, document_id)}/{content_sha}"


def parse_key(document: Document, parsed_sha: str) -> str:
    return f"{folder_key(document.user_id, document.document_id)}/{parsed_sha}.md"


def folder_key(user_id: UserId, document_id: DocumentId) -> str:
    """Below this lies every stored byte of a document, of all its versions."""
    return f"{user_id}/{document_id}"
