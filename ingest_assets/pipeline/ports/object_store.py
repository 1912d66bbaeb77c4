"""Bytes by key."""

from collections.abc import Iterator
from typing import Protocol
from uuid import UUID

from ingest_assets.domain.documents.download import Download
from ingest_assets.domain.documents.stored_object import StoredObject


class ObjectStore(Protocol):
    """Bytes by key; a key's content is written whole or not at all."""

    def check(self) -> None:
        """Check, at next to no cost, that the store can be read and written.

        Raises:
            OutageError: storage_failed, master_key_missing or master_key_wrong.
        """

    def claim(self, store_id: UUID) -> UUID:
        """Return the store's own id; a store without one keeps this one forever, and no listing shows it.

        Raises:
            OutageError: storage_full or storage_failed.
        """

    def put(self, key: str, content: bytes) -> None:
        """Store the content under the key.

        Raises:
            OutageError: storage_full, storage_failed, master_key_missing or master_key_wrong.
        """

    def get(self, key: str) -> bytes:
        """Return the content stored under the key.

        Raises:
            PermanentError: content_missing or object_tampered.
            OutageError: storage_failed, master_key_missing or master_key_wrong.
        """

    def beginning(self, key: str, size: int) -> bytes:
        """Return the first bytes stored under the key, as many as there are up to `size`.

        Raises:
            PermanentError: content_missing.
            OutageError: storage_failed.
        """

    def address(self, key: str, answer: Download) -> str | None:
        """Return an address at which whoever has it may read the content for a while, or None if there is none.

        Raises:
            PermanentError: content_missing.
            OutageError: storage_failed.
        """

    def holds(self, key: str) -> bool:
        """Return whether there is an object under the key.

        Raises:
            OutageError: storage_failed.
        """

    def listed(self, below: str = "") -> Iterator[StoredObject]:
        """Yield the objects in a folder, or in the whole store, in the order of their keys; half-written ones too.

        Objects that come or go meanwhile may be among them or not.

        Raises:
            OutageError: storage_failed.
        """

    def remove(self, found: StoredObject) -> bool:
        """Remove a listed object, unless it has been written again since, and return whether it was removed.

        Raises:
            OutageError: storage_failed.
        """

    def delete_below(self, prefix: str) -> int:
        """Remove every object in the folder `prefix` and return how many there were."""

    def count_below(self, prefix: str) -> int:
        """Return how many objects are in the folder `prefix`, including half-written ones."""


class StoreIds(Protocol):
    """What the database knows of its store."""

    def store_id(self) -> UUID:
        """Return the id of the store that the documents' rows are about."""
