"""Metrics have names and labels as Prometheus wants them."""

import re

import pytest

from ingest_assets.domain.metrics import METRICS, Kind, Metric

NAME = re.compile(r"ingest(_[a-z]+)+")


def test_each_name_is_used_once() -> None:
    assert len({each.name for each in METRICS}) == len(METRICS)


@pytest.mark.parametrize("metric", METRICS, ids=lambda each: each.name)
def test_names_are_as_prometheus_wants_them(metric: Metric) -> None:
    assert NAME.fullmatch(metric.name)
    assert metric.name.endswith("_total") is (metric.kind is Kind.COUNTER)
    assert metric.name.endswith("_seconds") or metric.kind is not Kind.HISTOGRAM
    assert metric.help.endswith(".")
    assert not {"user", "document", "filename", "le"} & set(metric.labels)
    assert metric.bounds == tuple(sorted(metric.bounds))
    assert bool(metric.bounds) is (metric.kind is Kind.HISTOGRAM)
