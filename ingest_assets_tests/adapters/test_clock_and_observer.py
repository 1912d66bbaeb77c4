"""The machine's clocks, and the log."""

import pytest

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.logging_observer import LoggingObserver
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.observing import Observer
from ingest_assets_tests.contracts.clock_contract import ClockContract
from ingest_assets_tests.contracts.observing_contract import FACTS, ObserverContract


class TestSystemClock(ClockContract):
    @pytest.fixture
    def clock(self) -> Clock:
        return SystemClock()


class TestLoggingObserver(ObserverContract):
    @pytest.fixture
    def observer(self) -> Observer:
        return LoggingObserver()


def test_each_fact_is_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", "ingest_assets")
    for fact in FACTS:
        LoggingObserver().observe(fact)
    assert len({record.getMessage() for record in caplog.records}) == len(FACTS)
