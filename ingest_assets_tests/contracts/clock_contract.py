"""What every clock must do."""

from datetime import timedelta

import pytest

from ingest_assets.pipeline.ports.clock import Clock


class ClockContract:
    @pytest.fixture
    def clock(self) -> Clock:
        raise NotImplementedError

    def test_times_name_their_offset(self, clock: Clock) -> None:
        assert clock.now().utcoffset() == timedelta(0)

    def test_seconds_never_go_back(self, clock: Clock) -> None:
        seconds = [clock.seconds() for _ in range(1000)]
        assert seconds == sorted(seconds)
