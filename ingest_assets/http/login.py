"""A password for operators, who look with a browser and have no access token."""

from dataclasses import dataclass
from pathlib import Path

from ingest_assets.domain.basic_login import CHALLENGE
from ingest_assets.domain.errors import PermanentError
from ingest_assets.http.problems import RefusalError
from ingest_assets.posix.password_files import PasswordGate


@dataclass
class Login:
    """Lets in whoever sends the password in a file. Without a file, nobody is let in."""

    file: Path | None

    def __post_init__(self) -> None:
        self._gate = None if self.file is None else PasswordGate(self.file)

    async def admit(self, authorization: str | None) -> None:
        """Let a request pass that has the password in its header.

        Raises:
            PermanentError: dashboards_closed.
            RefusalError: dashboards_refused.
        """
        opens = None if self._gate is None else await self._gate.opens_for(authorization)
        if opens is None:
            raise PermanentError("dashboards_closed")
        if not opens:
            raise RefusalError(PermanentError("dashboards_refused"), {"WWW-Authenticate": CHALLENGE})
