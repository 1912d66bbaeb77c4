"""What people have paused."""

from dataclasses import dataclass
from datetime import datetime

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.spending.providers import ProviderName


@dataclass(frozen=True, slots=True)
class Paused:
    """What is paused: one user's documents, the calls to one provider or, if neither is named, everything."""

    user_id: UserId | None = None
    provider: ProviderName | None = None


@dataclass(frozen=True, slots=True)
class Pause:
    paused: Paused
    began_at: datetime
