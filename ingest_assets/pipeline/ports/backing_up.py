"""What a backup needs of the database and of the folder that it is made in, and restoring it of an empty place."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol
from uuid import UUID

from ingest_assets.domain.backups import FileSum, KeptObject, Manifest
from ingest_assets.domain.documents.stored_object import StoredObject
from ingest_assets.domain.documents.sweeping import RecordedObjects
from ingest_assets.domain.queue.jobs import Actor


@dataclass(frozen=True)
class Snapshot:
    """The database as of one moment, for as long as the transaction lasts that took it."""

    name: str
    """By this name, other sessions see the same."""
    taken_at: datetime
    server: int
    store_id: UUID
    migrations: tuple[str, ...]
    roles: tuple[str, ...]
    counts: Mapping[str, int]
    key_ids: frozenset[UUID]
    """The users' keys. What is encrypted with another one cannot be read with this snapshot."""
    records: Iterator[RecordedObjects]
    """The objects that its rows name, in the order of users, then documents; to be read once."""


class Snapshots(Protocol):
    """The database that is backed up."""

    def taken(self) -> AbstractContextManager[Snapshot]:
        """Take a snapshot, and yield it; it ends with the block.

        Raises:
            OutageError: database_unreachable, schema_outdated or role_denied.
            ResourceError: schema_newer.
        """

    def dump(self, snapshot: Snapshot, file: Path) -> int:
        """Write the rows of a snapshot into a file, and return the version of the program that wrote it.

        Raises:
            PermanentError: client_programs_missing or dump_failed.
        """


class NewBackup(Protocol):
    """A backup that is being made: it is complete once it is finished, and not before."""

    dump: Path

    def note(self, records: Iterable[RecordedObjects]) -> int:
        """Note which objects are wanted, and return of how many documents."""

    def wanted(self) -> Iterator[RecordedObjects]:
        """Yield what was noted, in the same order."""

    def keep(self, found: StoredObject, read: Callable[[], bytes]) -> bool:
        """Keep an object, and return whether it had to be read: what an earlier backup here has kept is taken from it.

        Raises:
            PermanentError: backup_folder_unusable.
        """

    def sums(self) -> tuple[FileSum, FileSum]:
        """Return the sums of the dump and of the list of objects, which is closed."""

    def finish(self, manifest: Manifest) -> None:
        """Make the backup complete, once all of it is on the disk."""


class WholeBackup(Protocol):
    """A complete backup."""

    @property
    def manifest(self) -> Manifest: ...

    @property
    def dump(self) -> Path: ...

    def check(self) -> None:
        """Check that the dump and the list of objects are as they were written.

        Raises:
            PermanentError: backup_damaged.
        """

    def objects(self) -> Iterator[KeptObject]:
        """Yield the objects, in the order of their keys."""

    def content(self, kept: KeptObject) -> bytes | None:
        """Return the bytes of an object, or None if they are not those that were kept."""


class RestorePlace(Protocol):
    """The database that a backup is restored into."""

    def is_begun(self, manifest: Manifest) -> bool:
        """Return whether this backup has been restored here, but not finished; otherwise check that it can be.

        Raises:
            PermanentError: place_not_empty, database_too_old, pgvector_missing, server_older_than_backup,
                roles_missing or client_programs_missing.
        """

    def store_id(self) -> UUID | None:
        """Return the id of the store that the database is about so far, if it has one."""

    def restore(self, dump: Path, manifest: Manifest) -> None:
        """Make the rows of the dump the content of the database, all or none, and note that this is not finished.

        Raises:
            PermanentError: place_not_empty, client_programs_missing or restore_failed.
        """

    def migrate(self) -> list[str]:
        """Bring the schema up to date and return the names of the migrations applied."""

    def finish(self, store_id: UUID, actor: Actor) -> int:
        """Make the database go on here: with this store, a Dagster that knows nothing, and no worker of before.

        Returns:
            How many documents were in work at the moment of the backup, and are queued again.
        """
