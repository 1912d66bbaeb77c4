"""Arriving files in Postgres: which document each belongs to, what intake writes, and what is remembered of files."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from uuid import uuid4

from psycopg import Connection

from ingest_assets.adapters.postgres.connections import Row
from ingest_assets.adapters.postgres.locks import intake_of, lock
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.rows import columns_of
from ingest_assets.domain.documents.arrivals import Arrivals, KnownDocument, agree
from ingest_assets.domain.documents.document import Acceptance, AcceptanceStatus, Arrival, DocumentId, JobId, UserId
from ingest_assets.domain.errors import ResourceError
from ingest_assets.domain.files.file_states import FileState, KnownFile, Sighting
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.domain.queue.stages import State

Ids = tuple[DocumentId, JobId]
Placed = tuple[Arrival, Acceptance]


def locate(connection: Connection[Row], arrivals: Sequence[Arrival]) -> list[Acceptance]:
    return _decide(connection, arrivals, [(DocumentId(uuid4()), JobId(uuid4())) for _ in arrivals])


def accept(
    connection: Connection[Row],
    arrivals: Sequence[Arrival],
    located: Sequence[Acceptance],
    actor: Actor,
    are_stored: Callable[[], bool],
) -> list[Acceptance] | None:
    """Queue the arrivals within the caller's transaction, or write nothing and return None if one belongs elsewhere.

    The sweep removes bytes only under the lock that is taken here, so what is stored then stays.

    Raises:
        ResourceError: claim_lost, if the arrivals are attachments and nobody works on their parent under this claim.
    """
    lock(connection, intake_of(arrivals[0].user_id))
    for parent in {arrival.parent for arrival in arrivals if arrival.parent}:
        names = {"parent_id": parent.document_id, "fence": parent.fence}
        if connection.execute(query("hold_parent"), names).fetchone() is None:
            raise ResourceError("claim_lost")
    accepted = _decide(connection, arrivals, [(place.document_id, place.job_id) for place in located])
    if not (agree(located, accepted) and are_stored()):
        return None
    _replace(connection, _chosen(arrivals, accepted, AcceptanceStatus.NEW_VERSION), actor)
    new = _columns(_chosen(arrivals, accepted, AcceptanceStatus.QUEUED)) | columns_of(actor)
    sources = {
        "user_id": arrivals[0].user_id,
        "sources": [arrival.source for arrival in arrivals],
        "source_document_ids": [place.document_id for place in accepted],
        "parent_ids": [arrival.parent and arrival.parent.document_id for arrival in arrivals],
        "depths": [arrival.parent.depth if arrival.parent else 0 for arrival in arrivals],
    }
    connection.execute(query("take_in"), new | sources)
    _pass_on_metadata(connection, arrivals, accepted)
    return accepted


def taken_out(connection: Connection[Row], document_ids: Iterable[DocumentId]) -> dict[DocumentId, set[DocumentId]]:
    """Return what was taken out of each of these documents, however deep; those that hold nothing are left out."""
    held: dict[DocumentId, set[DocumentId]] = {}
    looked_at: set[DocumentId] = set()
    unknown = set(document_ids)
    while unknown:
        looked_at |= unknown
        rows = connection.execute(query("taken_out"), {"document_ids": list(unknown)}).fetchall()
        for row in rows:
            held.setdefault(DocumentId(row["parent_id"]), set()).add(DocumentId(row["document_id"]))
        unknown = {DocumentId(row["document_id"]) for row in rows} - looked_at
    return {document_id: _all_below(document_id, held) for document_id in document_ids if document_id in held}


def _all_below(document_id: DocumentId, held: Mapping[DocumentId, set[DocumentId]]) -> set[DocumentId]:
    found: set[DocumentId] = set()
    unknown = held[document_id]
    while unknown:
        found |= unknown
        unknown = {below for each in unknown for below in held.get(each, ())} - found
    return found - {document_id}


def known_files(connection: Connection[Row], user_id: UserId, paths: Sequence[str]) -> dict[str, KnownFile]:
    rows = connection.execute(query("known_files"), {"user_id": user_id, "sources": list(paths)}).fetchall()
    return {row["source"]: _known_file(row) for row in rows}


def remember_files(connection: Connection[Row], user_id: UserId, files: Mapping[str, KnownFile]) -> None:
    sightings = {path: known.sighting for path, known in files.items() if known.sighting is not None}
    states = [sighting.state for sighting in sightings.values()]
    names = {
        "user_id": user_id,
        "sources": list(sightings),
        "file_sizes": [state.size for state in states],
        "file_modified_ns": [state.modified_ns for state in states],
        "file_changed_ns": [state.changed_ns for state in states],
        "file_inodes": [state.inode for state in states],
        "file_devices": [state.device for state in states],
        "file_seen_ns": [sighting.seen_ns for sighting in sightings.values()],
        "file_shas": [sighting.content_sha for sighting in sightings.values()],
    }
    if sightings:
        connection.execute(query("remember_files"), names)


def _decide(connection: Connection[Row], arrivals: Sequence[Arrival], fresh: Sequence[Ids]) -> list[Acceptance]:
    names = {
        "user_id": arrivals[0].user_id,
        "sources": [arrival.source for arrival in arrivals],
        "content_shas": [arrival.content_sha for arrival in arrivals],
    }
    rows = connection.execute(query("documents_of_arrivals"), names).fetchall()
    known = Arrivals(_known_document(row) for row in rows)
    return [known.decide(arrival, ids) for arrival, ids in zip(arrivals, fresh, strict=True)]


def _replace(connection: Connection[Row], placed: Sequence[Placed], actor: Actor) -> None:
    if placed:
        names = _columns(placed) | columns_of(actor)
        for statement in ("lock_jobs", "replace_contents", "requeue_versions"):
            connection.execute(query(statement), names)


def _chosen(arrivals: Sequence[Arrival], accepted: Sequence[Acceptance], status: AcceptanceStatus) -> Sequence[Placed]:
    return [(arrival, place) for arrival, place in zip(arrivals, accepted, strict=True) if place.status is status]


def _pass_on_metadata(connection: Connection[Row], arrivals: Sequence[Arrival], accepted: Sequence[Acceptance]) -> None:
    by_parent: dict[DocumentId, list[DocumentId]] = {}
    for arrival, place in zip(arrivals, accepted, strict=True):
        if arrival.parent:
            by_parent.setdefault(arrival.parent.document_id, []).append(place.document_id)
    for parent_id, children in by_parent.items():
        document_ids = set(children).union(*taken_out(connection, children).values())
        connection.execute(query("inherit_metadata"), {"parent_id": parent_id, "document_ids": list(document_ids)})


def _columns(placed: Sequence[Placed]) -> dict[str, Any]:
    return {
        "filenames": [arrival.filename for arrival, _ in placed],
        "media_types": [arrival.media_type for arrival, _ in placed],
        "byte_sizes": [arrival.byte_size for arrival, _ in placed],
        "content_shas": [arrival.content_sha for arrival, _ in placed],
        "priorities": [arrival.priority for arrival, _ in placed],
        "document_ids": [place.document_id for _, place in placed],
        "job_ids": [place.job_id for _, place in placed],
    }


def _known_document(row: Row) -> KnownDocument:
    ids = DocumentId(row["document_id"]), JobId(row["job_id"])
    return KnownDocument(*ids, row["content_sha"], _failure(row), row["sources"], row["arriving"])


def _known_file(row: Row) -> KnownFile:
    ids = DocumentId(row["document_id"]), JobId(row["job_id"])
    acceptance = Acceptance(*ids, AcceptanceStatus.UNCHANGED, _failure(row))
    return KnownFile(acceptance, row["content_sha"], _sighting(row))


def _sighting(row: Row) -> Sighting | None:
    if row["file_sha"] is None:
        return None
    times, place = ("file_modified_ns", "file_changed_ns"), ("file_inode", "file_device")
    state = FileState(row["file_size"], *(row[name] for name in times), *(int(row[name]) for name in place))
    return Sighting(state, row["file_seen_ns"], row["file_sha"])


def _failure(row: Row) -> str | None:
    return row["error_code"] if row["state"] == State.DEADLETTER else None
