"""Token buckets, each kept as the time until which it is booked (the generic cell rate algorithm, ITU-T I.371).

A bucket lacks whatever flows in between now and that time. A call books its turn at once and then waits for it, so
turns come in the order in which calls asked for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

MICROSECONDS_PER_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class RateLimit:
    per_minute: int
    burst: timedelta = timedelta(seconds=10)
    """A full bucket holds what flows in during this time; a single call above that waits for a full bucket."""

    def __post_init__(self) -> None:
        if self.per_minute < 1:
            raise ValueError("a rate limit must allow at least one per minute")

    def filling(self, amount: int) -> timedelta:
        """Return how long `amount` takes to flow in, rounded up."""
        return timedelta(microseconds=-(-amount * MICROSECONDS_PER_MINUTE // self.per_minute))


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The limits of one provider; None means no such limit."""

    requests: RateLimit | None = None
    tokens: RateLimit | None = None


@dataclass(frozen=True, slots=True)
class Demand:
    """What one call takes from one bucket."""

    limit: RateLimit | None
    booked_until: datetime
    amount: int


@dataclass(frozen=True, slots=True)
class Turn:
    at: datetime
    booked_until: tuple[datetime, ...]
    """The new time of each bucket, in the order of the demands."""


def book(demands: Sequence[Demand], now: datetime) -> Turn:
    """Return the first time at which every bucket holds what the call takes."""
    at = max((_earliest(demand, now) for demand in demands), default=now)
    return Turn(at, tuple(_booked(demand, at) for demand in demands))


def _earliest(demand: Demand, now: datetime) -> datetime:
    if demand.limit is None:
        return now
    filling = demand.limit.filling(demand.amount)
    return max(now, max(demand.booked_until, now) + filling - max(demand.limit.burst, filling))


def _booked(demand: Demand, at: datetime) -> datetime:
    if demand.limit is None:
        return demand.booked_until
    return max(demand.booked_until, at) + demand.limit.filling(demand.amount)
