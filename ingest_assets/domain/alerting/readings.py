"""Readings: what the metrics said at one time. What has happened in between is the difference between two of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ingest_assets.domain import metrics
from ingest_assets.domain.metrics import SUM, Kind, Metric, Sample

KEPT = frozenset(
    metric.name
    for metric in (
        metrics.QUEUED_TOTAL,
        metrics.FINISHED_TOTAL,
        metrics.FAILURES_TOTAL,
        metrics.DEAD_LETTERS_TOTAL,
        metrics.WAY,
        metrics.STEP,
        metrics.CALL,
        metrics.COST_TOTAL,
        metrics.TOKENS_TOTAL,
        metrics.PAGES_TOTAL,
        metrics.CLAIMABLE,
        metrics.WORKERS,
    )
)
"""The metrics that a reading holds."""
EVERY = timedelta(minutes=1)
"""How often one is kept, by all workers together."""
IN_FULL = timedelta(hours=26)
"""How long every one of them stays."""
SPARSE = timedelta(minutes=10)
"""How far apart those are that stay longer."""
AT_ALL = timedelta(days=15)
"""How long the sparse ones stay: two weeks are compared."""
_BETWEEN = "/"

Key = tuple[str, ...]
"""A metric's name and its labels; of a histogram, its name ends with `_sum` or `_count`."""


@dataclass(frozen=True, slots=True)
class Reading:
    values: Mapping[Key, float]

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> "Reading":
        values: dict[Key, float] = {}
        for sample in samples:
            if sample.metric.name in KEPT:
                key = _key(sample)
                values[key] = values.get(key, 0) + sample.value
        return cls(values)

    @classmethod
    def told(cls, flat: Mapping[str, float]) -> "Reading":
        """Return the reading that `flat` was made of."""
        return cls({tuple(name.split(_BETWEEN)): value for name, value in flat.items()})

    @property
    def flat(self) -> dict[str, float]:
        return {_BETWEEN.join(key): value for key, value in self.values.items()}

    def get(self, metric: Metric, *labels: str) -> float:
        return self.values.get((metric.name, *labels), 0)

    def rise(self, before: "Reading", name: str) -> Iterator[tuple[Key, float]]:
        """Give by how much a counter has risen since, for all its labels. One that was set back has not."""
        for key, value in self.values.items():
            if key[0] == name:
                yield key[1:], max(0.0, value - before.values.get(key, 0))

    def total_rise(self, before: "Reading", metric: Metric) -> float:
        return sum(risen for _, risen in self.rise(before, metric.name))

    def means(self, before: "Reading", metric: Metric) -> dict[Key, float]:
        """Return the mean of what a histogram has observed since, for those labels that it has observed."""
        counts = dict(self.rise(before, f"{metric.name}_count"))
        sums = dict(self.rise(before, f"{metric.name}_sum"))
        return {labels: sums.get(labels, 0) / count for labels, count in counts.items() if count > 0}


def _key(sample: Sample) -> Key:
    if sample.metric.kind is Kind.HISTOGRAM:
        return (f"{sample.metric.name}_{'sum' if sample.bound == SUM else 'count'}", *sample.labels)
    return (sample.metric.name, *sample.labels)
