"""Collect metrics from wherever they are; what does not answer is a metric too."""

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.metrics import SCRAPE_SECONDS, Metric, Sample
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.measuring import Measurements


@dataclass(frozen=True, slots=True)
class Source:
    measurements: Measurements
    up: Metric | None = None
    """Says whether the source has answered; None if it always does."""


class Measuring:
    """Asks all sources, one scrape at a time."""

    def __init__(self, sources: Sequence[Source], clock: Clock) -> None:
        self._sources = sources
        self._clock = clock
        self._lock = Lock()

    def collect(self) -> list[Sample]:
        with self._lock:
            begun_at = self._clock.seconds()
            samples = [sample for source in self._sources for sample in _asked(source)]
            return [*samples, Sample(SCRAPE_SECONDS, (), self._clock.seconds() - begun_at)]


def _asked(source: Source) -> list[Sample]:
    if source.up is None:
        return list(source.measurements.take())
    try:
        samples = list(source.measurements.take())
    except IngestError:
        return [Sample(source.up, (), 0)]
    return [*samples, Sample(source.up, (), 1)]
