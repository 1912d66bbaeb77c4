"""The key with which one user's stored objects are encrypted."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from ingest_assets.domain.documents.document import UserId

UNUSED = timedelta(hours=24)
"""How long a key must be without use before it is destroyed: what was stored with it may wait for its row that long."""


@dataclass(frozen=True, slots=True)
class UserKey:
    user_id: UserId
    key_id: UUID
    wrapped: bytes
    """The key itself, which only the master key unwraps."""

    @property
    def purpose(self) -> bytes:
        """What it is wrapped for: in the place of another one, it is of no use."""
        return f"{self.user_id}/{self.key_id}".encode()
