"""Metrics as Prometheus reads them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector

from ingest_assets.domain.metrics import METRICS, SUM, Kind, Metric, Sample

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
Family = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily


def exposition(samples: Iterable[Sample]) -> bytes:
    """Return the samples, and what this process uses of the machine, as Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_Collected(samples))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    return generate_latest(registry)


class _Collected(Collector):
    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples: dict[str, list[Sample]] = defaultdict(list)
        for sample in samples:
            self._samples[sample.metric.name].append(sample)

    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            found = self._samples.get(metric.name, [])
            if metric.kind is Kind.HISTOGRAM:
                yield _histogram(metric, found)
            elif found or metric.kind is Kind.COUNTER:
                yield _plain(metric, found)

    def describe(self) -> Iterator[Family]:
        return iter(())


def _plain(metric: Metric, samples: Iterable[Sample]) -> Family:
    make = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
    family = make(metric.name, metric.help, labels=metric.labels)
    for sample in samples:
        family.add_metric(sample.labels, sample.value)
    return family


def _histogram(metric: Metric, samples: Iterable[Sample]) -> Family:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    series: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for sample in samples:
        series[sample.labels][str(sample.bound)] = sample.value
    for labels, values in series.items():
        buckets, below = [], 0.0
        for bound in metric.bound_names:
            below += values.get(bound, 0.0)
            buckets.append((bound, below))
        family.add_metric(labels, buckets, values.get(SUM, 0.0))
    return family
