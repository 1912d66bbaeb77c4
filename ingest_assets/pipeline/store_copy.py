"""Copy a deployment's objects into another store, while everything goes on; repeating it copies what came meanwhile."""

from collections.abc import Iterator
from dataclasses import dataclass

from ingest_assets.domain.documents.stored_object import StoredObject
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.pipeline.ports.object_store import ObjectStore, StoreIds
from ingest_assets.pipeline.ports.sweeping import ObjectRecords
from ingest_assets.pipeline.store_ownership import StoreOwnership
from ingest_assets.pipeline.stored_objects import owner_in
from ingest_assets.pipeline.telling import Tell


@dataclass(slots=True)
class Copied:
    """How many objects were copied, were there already, and were removed because the source has them no more."""

    copied: int = 0
    present: int = 0
    removed: int = 0


@dataclass(frozen=True)
class StoreCopy:
    """Makes `target` hold what `source` holds; encrypted objects are copied as they are."""

    source: ObjectStore
    target: ObjectStore
    database: StoreIds
    records: ObjectRecords

    def make(self, tell: Tell, *, verify: bool = False) -> Copied:
        """Copy what is missing, read each copy again, and remove what neither the source has nor a row names.

        Args:
            tell: See `Tell`.
            verify: Whether to compare the content also of what is there already.

        Raises:
            OutageError: store_mismatched, if one of the stores is another deployment's; storage_full or storage_failed.
        """
        for store in (self.source, self.target):
            StoreOwnership(store, self.database).check()
        tally = Copied()
        for wanted, found in _side_by_side(self.source.listed(), self.target.listed()):
            if wanted is None:
                tally.removed += found is not None and not self._is_named(found.key) and self.target.remove(found)
            elif found is not None and self._is_like(wanted, found, verify=verify):
                tally.present += 1
            else:
                tally.copied += self._copy(wanted.key)
            tell("copying objects", tally.copied + tally.present, 0)
        return tally

    def _is_named(self, key: str) -> bool:
        """Return whether a row names the object: the target may have been the deployment's store for a while."""
        owner = owner_in(key)
        if owner is None:
            return False
        recorded = self.records.of_documents([owner[1]]).get(owner[1])
        return recorded is not None and key in recorded.named

    def _is_like(self, wanted: StoredObject, found: StoredObject, *, verify: bool) -> bool:
        # A key is made of its content's hash. What is newer in the source may have been damaged, and repaired.
        if wanted.byte_size != found.byte_size or wanted.written_at > found.written_at:
            return False
        return not verify or self._content_of(wanted.key) in (None, self.target.get(found.key))

    def _copy(self, key: str) -> bool:
        """Copy an object and read the copy, and return whether it was still there."""
        content = self._content_of(key)
        if content is None:
            return False
        self.target.put(key, content)
        if self.target.get(key) != content:
            raise OutageError("storage_failed")
        return True

    def _content_of(self, key: str) -> bytes | None:
        try:
            return self.source.get(key)
        except PermanentError as error:
            if error.code != "content_missing":
                raise
            return None  # deleted meanwhile


def _side_by_side(
    source: Iterator[StoredObject], target: Iterator[StoredObject]
) -> Iterator[tuple[StoredObject | None, StoredObject | None]]:
    """Pair what two listings in the order of keys have in common, and yield the others alone."""
    wanted, found = _next_whole(source), next(target, None)
    while wanted is not None or found is not None:
        if found is None or (wanted is not None and wanted.key < found.key):
            yield wanted, None
            wanted = _next_whole(source)
        elif wanted is None or found.key < wanted.key:
            yield None, found
            found = next(target, None)
        else:
            yield wanted, found
            wanted, found = _next_whole(source), next(target, None)


def _next_whole(objects: Iterator[StoredObject]) -> StoredObject | None:
    return next((each for each in objects if each.whole), None)
