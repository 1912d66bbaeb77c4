"""Restore a backup into an empty place: first the objects, then the rows, then whatever belonged to the old place.

Everything may be repeated after an interruption. The rows come all at once, and objects that the backup holds too are
in nobody's way.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from uuid import UUID, uuid4

from ingest_assets.domain.backups import OBJECT_LIST, Manifest
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.domain.schema import check_not_newer
from ingest_assets.pipeline.deletion import Deletion
from ingest_assets.pipeline.ports.backing_up import RestorePlace, WholeBackup
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.stored_objects import PROBES, is_object_key, owner_in
from ingest_assets.pipeline.telling import Tell


@dataclass(frozen=True, slots=True)
class Restored:
    manifest: Manifest
    requeued: int
    """How many documents were in work at the moment of the backup."""
    deleted: int
    """How many documents were deleted here too, since that was done while the backup was made."""
    damaged: tuple[DocumentId, ...]
    """Documents of which the backup has lost bytes, or never had them."""


@dataclass(frozen=True)
class Restoration:
    """Restores backups.

    Args:
        place: The database.
        objects: The store, which takes encrypted objects as they are.
        deletion: Gives what deletes documents once the schema is up to date.
        known: The names of the migrations that this code comes with.
    """

    place: RestorePlace
    objects: ObjectStore
    deletion: Callable[[], Deletion]
    known: Collection[str]

    def restore(self, backup: WholeBackup, actor: Actor, tell: Tell) -> Restored:
        """Restore a backup.

        Raises:
            PermanentError: backup_damaged, place_not_empty, server_older_than_backup, client_programs_missing or
                restore_failed.
            OutageError: store_mismatched, or one of the store's or the database's.
            ResourceError: schema_newer.
        """
        manifest = backup.manifest
        check_not_newer(manifest.migrations, self.known)
        tell("checking the backup", 0, 0)
        backup.check()
        is_begun = self.place.is_begun(manifest)
        self._require_room(backup)
        store_id = self._claim(is_begun=is_begun)
        damaged = self._copy(backup, tell)
        if not is_begun:
            tell("restoring the database", 0, 0)
            self.place.restore(backup.dump, manifest)
        self.place.migrate()
        deletion = self.deletion()
        for each in manifest.deleted:
            deletion.delete(each, actor)
        requeued = self.place.finish(store_id, actor)
        lost = sorted({*damaged, *manifest.missing} - set(manifest.deleted))
        return Restored(manifest, requeued, len(manifest.deleted), tuple(lost))

    def _require_room(self, backup: WholeBackup) -> None:
        """Check that the store holds nothing but what this backup would put there.

        Raises:
            PermanentError: place_not_empty.
        """
        kept = backup.objects()
        here = next(kept, None)
        for found in self.objects.listed():
            if not found.whole or found.key.startswith(PROBES):
                continue
            while here is not None and here.key < found.key:
                here = next(kept, None)
            if here is None or here.key != found.key:
                raise PermanentError("place_not_empty", place="the document store")

    def _claim(self, *, is_begun: bool) -> UUID:
        """Return the id that ties the store to the restored database, which must not be that of the old place.

        Raises:
            OutageError: store_mismatched, if the store belongs to another database than the one that is here.
        """
        own = None if is_begun else self.place.store_id()
        claimed = self.objects.claim(own or uuid4())
        if own not in (None, claimed):
            raise OutageError("store_mismatched")
        return claimed

    def _copy(self, backup: WholeBackup, tell: Tell) -> set[DocumentId]:
        """Put the objects into the store, and return the documents of which some are damaged.

        Raises:
            PermanentError: backup_damaged, if the list names what is no document's.
        """
        damaged = set()
        total = backup.manifest.counts["objects"]
        present = {each.key: each.byte_size for each in self.objects.listed() if each.whole}
        for number, each in enumerate(backup.objects()):
            tell("copying documents", number, total)
            if not is_object_key(each.key):
                raise PermanentError("backup_damaged", place=OBJECT_LIST)
            if present.get(each.key) == each.byte_size:
                continue
            content, owner = backup.content(each), owner_in(each.key)
            if content is not None:
                self.objects.put(each.key, content)
            elif owner is not None:
                damaged.add(owner[1])
        tell("copying documents", total, total)
        return damaged
