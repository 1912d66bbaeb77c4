"""Back up the database and the stored objects that its rows name, while everything goes on.

Rows and the list of objects come from one snapshot. Bytes are stored before a row names them and removed after it is
gone, so whatever the snapshot names was there when it was taken. What was deleted since is told, never passed over.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from ingest_assets.domain.backups import Manifest
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.documents.stored_object import StoredObject
from ingest_assets.domain.documents.sweeping import RecordedObjects
from ingest_assets.domain.errors import PermanentError
from ingest_assets.pipeline.ports.backing_up import NewBackup, Snapshot, Snapshots
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.ports.sweeping import ObjectRecords
from ingest_assets.pipeline.store_ownership import StoreOwnership
from ingest_assets.pipeline.stored_objects import folder_key
from ingest_assets.pipeline.telling import Tell


@dataclass(frozen=True, slots=True)
class MadeBackup:
    manifest: Manifest
    copied: int
    """How many objects were read; the others were taken from an earlier backup."""


@dataclass(slots=True)
class _Tally:
    objects: int = 0
    bytes: int = 0
    copied: int = 0
    deleted: list[DocumentId] = field(default_factory=list)
    missing: list[DocumentId] = field(default_factory=list)


@dataclass(frozen=True)
class Backup:
    """Makes backups.

    Args:
        snapshots: The database.
        objects: The store, which gives encrypted objects as they are.
        records: What rows name by now.
        ownership: The tie between both.
        key_of: Tells the id of the key that an object is encrypted with, if it is.
        clock: The clock.
        program: The version of this program.
    """

    snapshots: Snapshots
    objects: ObjectStore
    records: ObjectRecords
    ownership: StoreOwnership
    key_of: Callable[[bytes], UUID | None]
    clock: Clock
    program: str

    def make(self, new: NewBackup, backup_id: UUID, tell: Tell) -> MadeBackup:
        """Make a backup.

        Raises:
            OutageError: store_mismatched, storage_failed, or one of the database's.
            PermanentError: client_programs_missing, dump_failed, backup_folder_unusable or backup_overtaken.
        """
        self.ownership.check()
        with self.snapshots.taken() as snapshot:
            tell("dumping the database", 0, 0)
            documents = new.note(snapshot.records)
            tools = self.snapshots.dump(snapshot, new.dump)
        tally = _Tally()
        for number, record in enumerate(new.wanted()):
            tell("copying documents", number, documents)
            self._keep_all(new, record, snapshot, tally)
        tell("copying documents", documents, documents)
        dump, object_list = new.sums()
        manifest = Manifest(
            backup_id=backup_id,
            taken_at=snapshot.taken_at,
            finished_at=self.clock.now(),
            program=self.program,
            server=snapshot.server,
            tools=tools,
            migrations=snapshot.migrations,
            roles=snapshot.roles,
            store_id=snapshot.store_id,
            counts={**snapshot.counts, "objects": tally.objects, "object_bytes": tally.bytes},
            dump=dump,
            object_list=object_list,
            deleted=tuple(tally.deleted),
            missing=tuple(tally.missing),
        )
        new.finish(manifest)
        return MadeBackup(manifest, tally.copied)

    def _keep_all(self, new: NewBackup, record: RecordedObjects, snapshot: Snapshot, tally: _Tally) -> None:
        """Keep every object that a row names, and note if one that it needs is gone."""
        folder = folder_key(record.user_id, record.document_id)
        present = {each.key: each for each in self.objects.listed(folder) if each.whole}
        kept = {
            key for key in sorted(record.named) if key in present and self._keep(new, present[key], snapshot, tally)
        }
        if record.required - kept:
            is_there = record.document_id in self.records.of_documents([record.document_id])
            (tally.missing if is_there else tally.deleted).append(record.document_id)

    def _keep(self, new: NewBackup, found: StoredObject, snapshot: Snapshot, tally: _Tally) -> bool:
        """Keep an object, and return whether it was still there.

        Raises:
            PermanentError: backup_overtaken, if its key is newer than the snapshot.
        """

        def read() -> bytes:
            content = self.objects.get(found.key)
            key = self.key_of(content)
            if key is not None and key not in snapshot.key_ids:
                raise PermanentError("backup_overtaken")
            return content

        try:
            tally.copied += new.keep(found, read)
        except PermanentError as error:
            if error.code != "content_missing":
                raise
            return False
        tally.objects += 1
        tally.bytes += found.byte_size
        return True
