"""The master key in a file, which is read whenever it is used, so that a rotated one takes effect at once."""

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ingest_assets.domain.errors import OutageError

KEY_BYTES, NONCE_BYTES = 32, 12


class MasterKeyFile:
    """Keys in a file, one in each line as 64 hexadecimal digits: the first wraps, and all of them unwrap."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def wrap(self, key: bytes, purpose: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self._keys()[0]).encrypt(nonce, key, purpose)

    def unwrap(self, wrapped: bytes, purpose: bytes) -> bytes:
        for key in self._keys():
            try:
                return AESGCM(key).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], purpose)
            except (InvalidTag, ValueError):
                continue
        raise OutageError("master_key_wrong")

    def _keys(self) -> list[bytes]:
        try:
            keys = [bytes.fromhex(line) for line in self._path.read_text("ascii").split()]
        except (OSError, ValueError):
            raise OutageError("master_key_missing") from None
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise OutageError("master_key_missing")
        return keys
