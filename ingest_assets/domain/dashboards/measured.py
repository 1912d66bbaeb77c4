"""Metrics, looked up by their names and labels."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from ingest_assets.domain.metrics import SUM, Metric, Sample


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a histogram has observed."""

    bounds: tuple[float, ...]
    counts: tuple[float, ...]
    """How many were at most so large and larger than the bound before; the last one counts the rest."""
    total: float

    @property
    def count(self) -> float:
        return sum(self.counts)

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else 0.0

    def below(self, wanted: float) -> float:
        """Return the bound that this share of the observations does not exceed; infinite if it is above all bounds."""
        seen = 0.0
        for bound, count in zip((*self.bounds, inf), self.counts, strict=True):
            seen += count
            if seen >= wanted * self.count:
                return bound
        return inf


class Measured:
    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            self._samples[sample.metric.name].append(sample)

    def value(self, metric: Metric, *labels: str) -> float | None:
        """Return the value with these labels, or None if nobody has measured it."""
        return next((each.value for each in self._samples[metric.name] if each.labels == labels), None)

    def of(self, metric: Metric) -> list[Sample]:
        """Return all samples of a metric that is no histogram."""
        return self._samples[metric.name]

    def sums(self, metric: Metric, label: str) -> dict[str, float]:
        """Return the values added up by one label."""
        place, found = metric.labels.index(label), defaultdict[str, float](float)
        for sample in self._samples[metric.name]:
            found[sample.labels[place]] += sample.value
        return dict(found)

    def distributions(self, metric: Metric) -> dict[tuple[str, ...], Distribution]:
        """Return what a histogram has observed, by labels."""
        values: dict[tuple[str, ...], dict[str | None, float]] = defaultdict(dict)
        for sample in self._samples[metric.name]:
            values[sample.labels][sample.bound] = sample.value
        return {labels: _distribution(metric, each) for labels, each in values.items()}


def _distribution(metric: Metric, values: dict[str | None, float]) -> Distribution:
    counts = tuple(values.get(name, 0.0) for name in metric.bound_names)
    return Distribution(metric.bounds, counts, values.get(SUM, 0.0))


def by_value(found: dict[str, float]) -> Sequence[tuple[str, float]]:
    """Return names with their values, the largest first."""
    return sorted(found.items(), key=lambda each: (-each[1], each[0]))
