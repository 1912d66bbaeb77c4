"""What a backup says of itself: its manifest, which is written last, and the list of its objects."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import PermanentError

FORMAT = 1
"""Raised when an older program could not read what a newer one has written."""
MANIFEST, DUMP, OBJECT_LIST, OBJECTS = "manifest.json", "database.dump", "objects.jsonl", "objects"
"""What lies in a backup's folder."""


@dataclass(frozen=True, slots=True)
class FileSum:
    byte_size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class KeptObject:
    """An object in a backup, as the store held it: an encrypted one stays encrypted."""

    key: str
    byte_size: int
    written_at: datetime
    """When the store wrote it: if size and time are the same, the next backup does not read it again."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """A complete backup. It holds ids, counts, hashes and times only."""

    backup_id: UUID
    taken_at: datetime
    """The moment of the snapshot, by the database's clock."""
    finished_at: datetime
    program: str
    """The version of the program that made it."""
    server: int
    """The major version of the database server."""
    tools: int
    """The major version of the pg_dump that wrote the dump."""
    migrations: tuple[str, ...]
    """The migrations that made the schema."""
    roles: tuple[str, ...]
    """Roles, besides those that the migrations make, that have rights in the schema."""
    store_id: UUID
    counts: Mapping[str, int]
    """How many documents, chunks, events, objects and bytes of objects there are."""
    dump: FileSum
    object_list: FileSum
    deleted: tuple[DocumentId, ...]
    """Documents that were deleted after the snapshot, and whose bytes were gone before they could be copied."""
    missing: tuple[DocumentId, ...]
    """Documents that are still there, although the store lacked bytes of them."""

    @property
    def schema(self) -> str:
        """The schema's version: the last migration."""
        return self.migrations[-1]


def manifest_text(manifest: Manifest) -> str:
    told = {"format": FORMAT, "schema": manifest.schema} | asdict(manifest)
    return json.dumps(told, indent=2, default=_as_text) + "\n"


def manifest_of(text: str) -> Manifest:
    """Return the manifest that a text tells.

    Raises:
        PermanentError: backup_damaged, or backup_newer, if a newer program has written it.
    """
    try:
        told = json.loads(text)
        written_as = int(told.pop("format"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PermanentError("backup_damaged", place=MANIFEST) from None
    if written_as > FORMAT:
        raise PermanentError("backup_newer", found=written_as, needed=FORMAT)
    try:
        return _manifest(told)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        raise PermanentError("backup_damaged", place=MANIFEST) from None


def object_line(kept: KeptObject) -> str:
    return json.dumps(asdict(kept), default=_as_text) + "\n"


def object_of(line: str) -> KeptObject:
    """Return the object of a line in the list.

    Raises:
        ValueError: The line is damaged, or was not finished.
    """
    try:
        told = json.loads(line)
        return KeptObject(
            str(told["key"]), int(told["byte_size"]), datetime.fromisoformat(told["written_at"]), str(told["sha256"])
        )
    except (KeyError, TypeError):
        raise ValueError(line) from None


def _manifest(told: dict[str, Any]) -> Manifest:
    return Manifest(
        backup_id=UUID(told["backup_id"]),
        taken_at=datetime.fromisoformat(told["taken_at"]),
        finished_at=datetime.fromisoformat(told["finished_at"]),
        program=str(told["program"]),
        server=int(told["server"]),
        tools=int(told["tools"]),
        migrations=_names(told["migrations"]),
        roles=tuple(str(each) for each in told["roles"]),
        store_id=UUID(told["store_id"]),
        counts={str(name): int(count) for name, count in told["counts"].items()},
        dump=FileSum(int(told["dump"]["byte_size"]), str(told["dump"]["sha256"])),
        object_list=FileSum(int(told["object_list"]["byte_size"]), str(told["object_list"]["sha256"])),
        deleted=_ids(told["deleted"]),
        missing=_ids(told["missing"]),
    )


def _names(told: Sequence[Any]) -> tuple[str, ...]:
    names = tuple(str(each) for each in told)
    if not names:
        raise ValueError
    return names


def _ids(told: Sequence[Any]) -> tuple[DocumentId, ...]:
    return tuple(DocumentId(UUID(each)) for each in told)


def _as_text(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
