"""The clock."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime: ...

    def seconds(self) -> float:
        """Return the time of a monotonic clock, for durations only."""
