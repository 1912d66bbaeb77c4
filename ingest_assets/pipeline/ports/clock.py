"""The clock."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime: ...

    def seconds(self) -> float:
        """Of a monotonic clock: for durations only."""
