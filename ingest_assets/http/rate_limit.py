"""Limit the requests per minute of each caller, in this process: N processes admit N times as many."""

import ipaddress
import math
import threading
import time
from collections.abc import Callable, Hashable

from starlette.requests import Request

from ingest_assets.domain.errors import ResourceError
from ingest_assets.http.problems import RefusalError

MINUTE = 60.0
REMEMBERED = 10_000
ONE_LINE = 64
"""How many bits of an IPv6 address name whom a line belongs to; its owner chooses the others freely."""


def sender_of(request: Request) -> str:
    """Return whose requests without a token count together: those of one address, or of one line with IPv6."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address) or address.ipv4_mapped:
        return host
    return str(ipaddress.ip_network((address.packed, ONE_LINE), strict=False))


class RateLimit:
    """One token bucket per caller, which holds a minute's requests."""

    def __init__(self, per_minute: int, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._seconds = seconds
        self._lock = threading.Lock()
        self._buckets: dict[Hashable, tuple[float, float]] = {}
        """What each caller had left, and when."""

    def admit(self, caller: Hashable) -> None:
        """Admit a request of this caller.

        Raises:
            RefusalError: rate_limited.
        """
        with self._lock:
            left = self._left(caller)
            if left >= 1:
                self._buckets[caller] = (left - 1, self._seconds())
                return
        seconds = math.ceil((1 - left) * MINUTE / self._per_minute)
        error = ResourceError("rate_limited", limit=self._per_minute, seconds=seconds)
        raise RefusalError(error, {"Retry-After": str(seconds)})

    def _left(self, caller: Hashable) -> float:
        if caller not in self._buckets:
            self._forget_full_ones()
        left, since = self._buckets.get(caller, (float(self._per_minute), self._seconds()))
        return min(self._per_minute, left + (self._seconds() - since) * self._per_minute / MINUTE)

    def _forget_full_ones(self) -> None:
        if len(self._buckets) < REMEMBERED:
            return
        full_since = self._seconds() - MINUTE
        self._buckets = {caller: bucket for caller, bucket in self._buckets.items() if bucket[1] > full_since}
