"""Bytes by key."""

from typing import Protocol


class ObjectStore(Protocol):
    """Bytes by key; a key's content is written whole or not at all."""

    def put(self, key: str, content: bytes) -> None:
        """Raises ResourceError storage_full, TransientError storage_failed."""

    def get(self, key: str) -> bytes:
        """Raises PermanentError content_missing, TransientError storage_failed."""

    def delete_below(self, prefix: str) -> int:
        """Removes every object whose key begins with the folder `prefix`; how many there were."""

    def count_below(self, prefix: str) -> int:
        """How many objects have a key that begins with the folder `prefix`, half-written ones included."""
