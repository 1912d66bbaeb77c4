"""Bytes by key."""

from typing import Protocol


class ObjectStore(Protocol):
    """Bytes by key; a key's content is written whole or not at all."""

    def put(self, key: str, content: bytes) -> None:
        """Store the content under the key.

        Raises:
            ResourceError: storage_full.
            TransientError: storage_failed.
        """

    def get(self, key: str) -> bytes:
        """Return the content stored under the key.

        Raises:
            PermanentError: content_missing.
            TransientError: storage_failed.
        """

    def delete_below(self, prefix: str) -> int:
        """Remove every object in the folder `prefix` and return how many there were."""

    def count_below(self, prefix: str) -> int:
        """Return how many objects are in the folder `prefix`, including half-written ones."""
