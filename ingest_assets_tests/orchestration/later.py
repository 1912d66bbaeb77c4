"""A clock for what happens when time has passed."""

from datetime import UTC, datetime, timedelta


class Later:
    """A clock that is ahead."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by
