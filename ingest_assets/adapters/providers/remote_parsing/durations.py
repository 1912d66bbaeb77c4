"""How long a provider usually takes, as this process has seen it."""

from threading import Lock

from ingest_assets.domain.spending.providers import Pace

LEARNING = 0.2
"""How much the last document counts, beside all before it."""


class UsualDurations:
    """Learns from each document, whatever its pages. Any number of threads may use it."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._factor: float | None = None
        """How many times slower than its published pace the provider is."""
        self._lock = Lock()

    def of(self, pages: int) -> float:
        """Return how many seconds a document with so many pages usually takes, or 0 as long as nobody knows."""
        return (self._factor or 0) * self._at_pace(pages)

    def learn(self, pages: int, seconds: float) -> None:
        """Take into account how long a document has taken."""
        seen = seconds / self._at_pace(pages)
        with self._lock:
            known = seen if self._factor is None else self._factor
            self._factor = known + LEARNING * (seen - known)

    def _at_pace(self, pages: int) -> float:
        return self._pace.seconds_per_document + pages / self._pace.units_per_second
