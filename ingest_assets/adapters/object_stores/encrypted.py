"""An object store that encrypts objects with their user's key, if there is a master key. Plain ones stay readable.

An encrypted object is `MARK`, the kind `SEALED`, the id of the user's key, a nonce, and what AES-256-GCM makes of the
content. It is bound to the object's name, so that it is of no use in the place of another one.
"""

from collections.abc import Callable, Iterator
from typing import Protocol
from uuid import UUID

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.documents.download import Download
from ingest_assets.domain.documents.stored_object import StoredObject
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.pipeline.ports.encrypting import UserKeys
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets.pipeline.stored_objects import owner_in

MARK = bytes.fromhex("f1a0c96e5d3b4784b2e07d18")
"""How objects begin that are not stored as they are. No type of file begins so."""
PLAIN, SEALED = b"\x00", b"\x01"
"""What may follow: content that itself begins with `MARK`, or an encrypted one."""


class Seals(Protocol):
    """Encrypts and decrypts, with the users' keys."""

    def check(self) -> None: ...

    def seal(self, user_id: UserId, name: str, content: bytes) -> bytes: ...

    def unseal(self, user_id: UserId, name: str, sealed: bytes) -> bytes: ...


def user_in(key: str) -> UserId | None:
    owner = owner_in(key)
    return None if owner is None else owner[0]


def key_of(stored: bytes) -> UUID | None:
    """Return the id of the key with which stored bytes are encrypted, or None if they are not."""
    sealed = MARK + SEALED
    return UUID(bytes=stored[len(sealed) : len(sealed) + 16]) if stored.startswith(sealed) else None


class EncryptedObjects:
    """The objects of another store, encrypted.

    Args:
        objects: The store that holds them.
        user_keys: The users' keys. If there are any, nothing is stored without the master key.
        seals: What encrypts; None without a master key.
        user_of: Tells by its name whose an object is. What is nobody's is not encrypted.
    """

    def __init__(
        self,
        objects: ObjectStore,
        user_keys: UserKeys,
        seals: Seals | None,
        user_of: Callable[[str], UserId | None] = user_in,
    ) -> None:
        self._objects = objects
        self._user_keys = user_keys
        self._seals = seals
        self._user_of = user_of

    def check(self) -> None:
        self._objects.check()
        self._check_key()

    def claim(self, store_id: UUID) -> UUID:
        self._check_key()
        return self._objects.claim(store_id)

    def put(self, key: str, content: bytes) -> None:
        user_id = self._user_of(key)
        if self._seals is not None and user_id is not None:
            self._objects.put(key, MARK + SEALED + self._seals.seal(user_id, key, content))
        else:
            self._objects.put(key, MARK + PLAIN + content if content.startswith(MARK) else content)

    def get(self, key: str) -> bytes:
        stored = self._objects.get(key)
        if not stored.startswith(MARK):
            return stored
        kind, rest = stored[len(MARK) : len(MARK) + 1], stored[len(MARK) + 1 :]
        if kind == PLAIN:
            return rest
        user_id = self._user_of(key)
        if kind != SEALED or user_id is None:
            raise PermanentError("object_tampered")
        if self._seals is None:
            raise OutageError("master_key_missing")
        return self._seals.unseal(user_id, key, rest)

    def beginning(self, key: str, size: int) -> bytes:
        return self.get(key)[:size]

    def address(self, key: str, answer: Download) -> str | None:
        """Return an address only of what is stored as it is: nobody else could decrypt it."""
        if self._seals is not None or self._objects.beginning(key, len(MARK)) == MARK:
            return None
        return self._objects.address(key, answer)

    def holds(self, key: str) -> bool:
        return self._objects.holds(key)

    def listed(self, below: str = "") -> Iterator[StoredObject]:
        return self._objects.listed(below)

    def remove(self, found: StoredObject) -> bool:
        return self._objects.remove(found)

    def delete_below(self, prefix: str) -> int:
        return self._objects.delete_below(prefix)

    def count_below(self, prefix: str) -> int:
        return self._objects.count_below(prefix)

    def encrypt(self, key: str) -> bool:
        user_id = self._user_of(key)
        if self._seals is None or user_id is None or self._objects.get(key).startswith(MARK + SEALED):
            return False
        self.put(key, self.get(key))
        return True

    def _check_key(self) -> None:
        """Check that nothing is about to be stored in plain, or with a key that others cannot unwrap.

        Raises:
            OutageError: master_key_missing or master_key_wrong.
        """
        if self._seals is not None:
            self._seals.check()
        elif self._user_keys.some() is not None:
            raise OutageError("master_key_missing")
