"""What has become of documents over time."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from ingest_assets.domain.dashboards.figures import Day, Growth, Hour
from ingest_assets.domain.predictions import PastWork, Work


class Records(Protocol):
    """Numbers about everybody's documents, by time. They name nobody and nothing."""

    def hours(self, window: timedelta) -> Sequence[Hour]:
        """Return the hours of the last time in which anything became searchable, the earliest first."""

    def days(self, promise: timedelta) -> Sequence[Day]:
        """Return the days on which anything was last queued, the earliest first.

        Args:
            promise: How soon a document should be searchable.
        """

    def growth(self) -> Sequence[Growth]:
        """Return the days on which anything was new, the earliest first."""

    def past_work(self, limit: int) -> Sequence[PastWork]:
        """Return the work on the documents that became searchable last, the earliest first."""

    def unfinished_work(self) -> Sequence[Work]:
        """Return what waits or is worked on, by type."""
