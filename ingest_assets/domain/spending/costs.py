"""What providers cost: usage in their own units, money in whole micro-dollars (a millionth of a dollar)."""

import re
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from ingest_assets.domain.spending.providers import ProviderName

_REQUEST_ID = re.compile(r"[\w.:/-]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call used, or is expected to use."""

    tokens: int = 0
    pages: int = 0
    credits: int = 0
    micro_usd: int = 0
    request_id: str | None = None
    """The provider's own, for questions about the bill."""


@dataclass(frozen=True, slots=True)
class ProviderCosts:
    provider: ProviderName
    day: date | None
    """UTC; None where all days are one."""
    user_id: UUID | None
    """None where all users are one."""
    calls: int
    tokens: int
    pages: int
    credits: int
    micro_usd: int


def request_id_in(header: str | None) -> str | None:
    """Return the id in a header, or None where it holds anything else: it says what its sender likes."""
    return header if header is not None and _REQUEST_ID.fullmatch(header) else None
