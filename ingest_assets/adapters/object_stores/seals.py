"""AES-256-GCM with one key per user, which the master key wraps. No key is kept in memory between two objects."""

import os
from uuid import UUID, uuid4

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.documents.user_key import UserKey
from ingest_assets.domain.errors import PermanentError
from ingest_assets.pipeline.ports.encrypting import KeyManagement, UserKeys

KEY_BITS, ID_BYTES, NONCE_BYTES, TAG_BYTES = 256, 16, 12, 16
PURPOSE = b"probe"


class UserSeals:
    def __init__(self, user_keys: UserKeys, management: KeyManagement) -> None:
        self._user_keys = user_keys
        self._management = management

    def check(self) -> None:
        """Check that the master key is there, and that it is the one that wrapped what there is.

        Raises:
            OutageError: master_key_missing or master_key_wrong.
        """
        some = self._user_keys.some()
        if some is not None:
            self._management.unwrap(some.wrapped, some.purpose)
        else:
            self._management.wrap(b"", PURPOSE)

    def seal(self, user_id: UserId, name: str, content: bytes) -> bytes:
        """Encrypt the content of the object with this name, with the user's key or their first one.

        Raises:
            OutageError: master_key_missing or master_key_wrong.
        """
        key = self._user_keys.use(user_id)
        while key is None:
            self._user_keys.keep(self._made(user_id))
            key = self._user_keys.use(user_id)  # another process may have been first
        nonce = os.urandom(NONCE_BYTES)
        return key.key_id.bytes + nonce + self._cipher(key).encrypt(nonce, content, _bound_to(key.key_id, name))

    def unseal(self, user_id: UserId, name: str, sealed: bytes) -> bytes:
        """Return the content of the object with this name.

        Raises:
            OutageError: master_key_missing or master_key_wrong.
            PermanentError: object_tampered, or content_missing, if the key was destroyed.
        """
        if len(sealed) < ID_BYTES + NONCE_BYTES + TAG_BYTES:
            raise PermanentError("object_tampered")
        key_id, nonce = UUID(bytes=sealed[:ID_BYTES]), sealed[ID_BYTES : ID_BYTES + NONCE_BYTES]
        key = self._user_keys.find(user_id)
        if key is None or key.key_id != key_id:
            raise PermanentError("content_missing")
        try:
            return self._cipher(key).decrypt(nonce, sealed[ID_BYTES + NONCE_BYTES :], _bound_to(key_id, name))
        except InvalidTag:
            raise PermanentError("object_tampered") from None

    def _cipher(self, key: UserKey) -> AESGCM:
        return AESGCM(self._management.unwrap(key.wrapped, key.purpose))

    def _made(self, user_id: UserId) -> UserKey:
        unwrapped = UserKey(user_id, uuid4(), b"")
        wrapped = self._management.wrap(AESGCM.generate_key(KEY_BITS), unwrapped.purpose)
        return UserKey(user_id, unwrapped.key_id, wrapped)


def _bound_to(key_id: UUID, name: str) -> bytes:
    return key_id.bytes + name.encode()
