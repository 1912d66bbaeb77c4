"""What a process measures by itself."""

from pathlib import Path

import pytest

from ingest_assets.adapters.counting_observer import NAMES, CountingObserver
from ingest_assets.adapters.host import HostMeasurements, PoolMeasurements
from ingest_assets.adapters.logging_observer import LoggingObserver
from ingest_assets.domain.metrics import DISK_FREE, FACTS_TOTAL, PASSED_OVER_TOTAL, POOL_CONNECTIONS
from ingest_assets.pipeline.ports.measuring import Measurements
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets_tests.contracts.measuring_contract import MeasurementsContract
from ingest_assets_tests.contracts.observing_contract import FACTS, ObserverContract


class TestCountingObserver(ObserverContract):
    @pytest.fixture
    def observer(self) -> Observer:
        return CountingObserver(LoggingObserver())


class TestCountedFacts(MeasurementsContract):
    @pytest.fixture
    def measurements(self) -> Measurements:
        counting = CountingObserver(LoggingObserver())
        counting.observe(FACTS[-1])
        return counting


class TestHostMeasurements(MeasurementsContract):
    @pytest.fixture
    def measurements(self, tmp_path: Path) -> Measurements:
        return HostMeasurements({"home": tmp_path})


class TestPoolMeasurements(MeasurementsContract):
    @pytest.fixture
    def measurements(self) -> Measurements:
        return PoolMeasurements(lambda: {"pool_size": 3, "pool_available": 1, "pool_max": 8})


def test_each_fact_is_counted_by_its_kind_and_errors_by_their_codes() -> None:
    counting = CountingObserver(LoggingObserver())
    for fact in FACTS:
        counting.observe(fact)
    counts = {(each.metric, each.labels): each.value for each in counting.take()}
    assert counts[FACTS_TOTAL, ("provider_answered",)] == 2
    assert all(counts[FACTS_TOTAL, (name,)] >= 1 for name in NAMES.values())
    assert counts[PASSED_OVER_TOTAL, ("unexpected",)] == 1


def test_every_kind_of_fact_has_a_name() -> None:
    assert {type(fact).__name__ for fact in FACTS} == set(NAMES)


def test_a_folder_that_does_not_exist_yet_is_measured_where_it_will_be(tmp_path: Path) -> None:
    measured = HostMeasurements({"objects": tmp_path / "not" / "yet"}).take()
    assert next(each.value for each in measured if each.metric is DISK_FREE) > 0


def test_used_connections_are_those_that_are_not_idle() -> None:
    pool = PoolMeasurements(lambda: {"pool_size": 3, "pool_available": 1, "pool_max": 8})
    assert {each.labels: each.value for each in pool.take() if each.metric is POOL_CONNECTIONS} == {
        ("idle",): 1,
        ("used",): 2,
    }
