"""What metrics must be able to rely on, wherever they come from."""

import math
import re

import pytest

from ingest_assets.domain.metrics import METRICS, SUM, Kind, added_up
from ingest_assets.pipeline.ports.measuring import Measurements

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-")


class MeasurementsContract:
    """A suite gives the fixture `measurements`: with something to measure."""

    @pytest.fixture
    def measurements(self) -> Measurements:
        raise NotImplementedError

    def test_each_sample_is_of_a_known_metric_and_has_its_labels(self, measurements: Measurements) -> None:
        samples = list(measurements.take())
        assert samples
        for sample in samples:
            assert sample.metric in METRICS
            assert len(sample.labels) == len(sample.metric.labels)
            assert all(isinstance(label, str) and label for label in sample.labels)
            assert math.isfinite(sample.value)
            is_histogram = sample.metric.kind is Kind.HISTOGRAM
            assert sample.bound in ((*sample.metric.bound_names, SUM) if is_histogram else (None,))

    def test_no_sample_is_told_twice(self, measurements: Measurements) -> None:
        samples = list(measurements.take())
        assert added_up(samples) == samples

    def test_counters_and_histograms_never_fall(self, measurements: Measurements) -> None:
        before = {(each.metric, each.labels, each.bound): each.value for each in measurements.take()}
        after = {(each.metric, each.labels, each.bound): each.value for each in measurements.take()}
        rising = {key: value for key, value in before.items() if key[0].kind is not Kind.GAUGE}
        assert all(after[key] >= value for key, value in rising.items())

    def test_labels_name_no_user_and_no_document(self, measurements: Measurements) -> None:
        assert not [label for each in measurements.take() for label in each.labels if UUID.search(label)]
