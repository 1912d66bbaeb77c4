"""A password for operators, who look with a browser and have no access token."""

import asyncio
import hmac
from dataclasses import dataclass, field
from pathlib import Path

from ingest_assets.domain.basic_login import CHALLENGE, password_in
from ingest_assets.domain.errors import PermanentError
from ingest_assets.http.problems import RefusalError
from ingest_assets.posix.password_files import password_of

WRONG_PASSWORD_SECONDS = 0.5
"""How long the next wrong password waits, however many come at once."""


@dataclass
class Login:
    """Lets in whoever sends a password.

    Attributes:
        file: A file with the password; it is read for each request. Without it, nobody is let in.
    """

    file: Path | None
    _wrong_passwords: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def admit(self, authorization: str | None) -> None:
        """Let a request pass that has the password in its header.

        Raises:
            PermanentError: dashboards_closed.
            RefusalError: dashboards_refused.
        """
        wanted = b"" if self.file is None else password_of(self.file)
        if not wanted:
            raise PermanentError("dashboards_closed")
        given = password_in(authorization)
        if given is not None and hmac.compare_digest(given, wanted):
            return
        if given is not None:
            async with self._wrong_passwords:
                await asyncio.sleep(WRONG_PASSWORD_SECONDS)
        raise RefusalError(PermanentError("dashboards_refused"), {"WWW-Authenticate": CHALLENGE})
