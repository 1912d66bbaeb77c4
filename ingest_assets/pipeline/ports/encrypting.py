"""What encryption of stored objects needs: somebody who keeps the master key, and a place for the users' keys."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.documents.user_key import UserKey


class KeyManagement(Protocol):
    """Holds the master key, and never gives it away."""

    def wrap(self, key: bytes, purpose: bytes) -> bytes:
        """Return the key, encrypted with the present master key for this purpose.

        Raises:
            OutageError: master_key_missing.
        """

    def unwrap(self, wrapped: bytes, purpose: bytes) -> bytes:
        """Return the key that was wrapped for this purpose.

        Raises:
            OutageError: master_key_missing, or master_key_wrong, if it was wrapped with another one or for another
                purpose.
        """


class UserKeys(Protocol):
    """One key for each user whose objects are encrypted."""

    def find(self, user_id: UserId) -> UserKey | None:
        """Return the user's key, with which something is to be read."""

    def use(self, user_id: UserId) -> UserKey | None:
        """Return the user's key, with which something is to be stored: it stays at least until its row is written."""

    def keep(self, key: UserKey) -> None:
        """Keep a user's first key, unless another process was first."""

    def some(self) -> UserKey | None:
        """Return any key, or None if nothing is encrypted."""

    def page(self, after: UserId | None, limit: int) -> Sequence[UserKey]:
        """Return up to `limit` keys in the order of their users, beginning behind `after`."""

    def replace(self, key: UserKey) -> None:
        """Keep another wrapping of a key, if the key still exists."""

    def destroy_unused(self, idle: timedelta) -> int:
        """Destroy the keys of users without documents that were not used for so long, and return how many."""


class PlainObjects(Protocol):
    """The objects that were stored before there was a master key."""

    def encrypt(self, key: str) -> bool:
        """Encrypt the object under the key, unless it already is or is nobody's, and return whether that was done.

        Raises:
            PermanentError: content_missing.
            OutageError: storage_full, storage_failed, master_key_missing or master_key_wrong.
        """
