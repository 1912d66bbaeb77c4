"""Keep a database from using the object store of another one."""

from dataclasses import dataclass

from ingest_assets.domain.errors import OutageError
from ingest_assets.pipeline.ports.object_store import ObjectStore, StoreIds


@dataclass(frozen=True)
class StoreOwnership:
    """The tie between database and store: both bear the same id. A new store takes on that of its first database."""

    objects: ObjectStore
    database: StoreIds

    def check(self) -> None:
        """Check that the store belongs to the database.

        Raises:
            OutageError: store_mismatched, if it belongs to another one; or storage_failed.
        """
        own = self.database.store_id()
        if self.objects.claim(own) != own:
            raise OutageError("store_mismatched")
