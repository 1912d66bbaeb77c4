"""Where metrics come from."""

from collections.abc import Iterable
from typing import Protocol

from ingest_assets.domain.metrics import Sample


class Measurements(Protocol):
    def take(self) -> Iterable[Sample]:
        """Return what is measured now, in well under a second, and with labels from closed lists only.

        Raises:
            IngestError: What would be asked does not answer.
        """
