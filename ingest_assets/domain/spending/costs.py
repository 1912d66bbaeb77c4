"""What providers cost: usage in their own units, money in whole micro-dollars (millionths of a dollar)."""

import re
from collections import defaultdict
from collections.abc import Iterable
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
    """The provider's own id, for questions about the bill."""


MANY_TIMES = 20
FEW_CREDITS = 1_000
"""A bill below this is too small to surprise anybody."""


def surprises(billed: int, expected: int) -> bool:
    """Return whether a bill in credits is so far beyond what was expected that somebody should look into it."""
    return billed > max(FEW_CREDITS, MANY_TIMES * expected)


@dataclass(frozen=True, slots=True)
class UncertainCosts:
    """The most that calls have cost whose answers never arrived: their workers died, or connections broke."""

    calls: int = 0
    tokens: int = 0
    pages: int = 0
    credits: int = 0
    micro_usd: int = 0


@dataclass(frozen=True, slots=True)
class ProviderCosts:
    provider: ProviderName
    day: date | None
    """The UTC day; None if the costs are not split by day."""
    user_id: UUID | None
    """The user; None if the costs are not split by user."""
    calls: int
    tokens: int
    pages: int
    credits: int
    micro_usd: int
    uncertain: UncertainCosts = UncertainCosts()
    """What may come on top."""


def by_day(costs: Iterable[ProviderCosts]) -> dict[date, int]:
    """Return what all providers together have cost on each day, in micro-dollars; costs without a day do not count."""
    found: dict[date, int] = defaultdict(int)
    for each in costs:
        if each.day is not None:
            found[each.day] += each.micro_usd
    return dict(found)


def request_id_in(header: str | None) -> str | None:
    """Return the id in a header, or None if it holds anything else, because the sender can write anything."""
    return header if header is not None and _REQUEST_ID.fullmatch(header) else None
