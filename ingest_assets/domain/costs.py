"""What outside services cost: usage in their own units, money in whole micro-dollars (a millionth of a dollar)."""

from dataclasses import dataclass
from enum import StrEnum


class Service(StrEnum):
    LLAMAPARSE = "llamaparse"
    OPENAI = "openai"


@dataclass(frozen=True, slots=True)
class Usage:
    """What one call used, or is expected to use."""

    tokens: int = 0
    pages: int = 0
    credits: int = 0
    micro_usd: int = 0
    request_id: str | None = None
    """The service's own, for questions about the bill."""
