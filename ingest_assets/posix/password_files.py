"""Passwords in files, which are read whenever they are needed, so that a new one counts at once."""

import asyncio
import hmac
from dataclasses import dataclass, field
from pathlib import Path

from ingest_assets.domain.basic_login import password_in

WRONG_PASSWORD_SECONDS = 0.5
"""How long the next wrong password waits, however many come at once."""


@dataclass
class PasswordGate:
    """Compares what browsers send with the password in a file, which is read for each request."""

    file: Path
    _wrong_passwords: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def opens_for(self, authorization: str | None) -> bool | None:
        """Return whether an Authorization header has the password, or None if the file has none.

        Wrong passwords are answered one after the other, each after a while.
        """
        if not (wanted := password_of(self.file)):
            return None
        given = password_in(authorization)
        if given is None:
            return False
        if hmac.compare_digest(given, wanted):
            return True
        async with self._wrong_passwords:
            await asyncio.sleep(WRONG_PASSWORD_SECONDS)
        return False


def password_of(file: Path) -> bytes:
    """Return the password in a file, or nothing if the file is missing, empty or unreadable."""
    try:
        return file.read_bytes().strip()
    except OSError:
        return b""
