"""How closely a remote job is looked at: the end of a short one is noticed within a second."""

from itertools import pairwise, takewhile

import pytest

from ingest_assets.adapters.providers.llamacloud.settings import LlamaCloudSettings
from ingest_assets.adapters.providers.remote_parsing.durations import UsualDurations
from ingest_assets.domain.spending.providers import Pace

PACE = Pace(seconds_per_document=5, units_per_second=1)


def looks_until(seconds: float, usual: float) -> list[float]:
    """When a job is looked at, until it is found to have ended after so many seconds."""
    times, passed = [], 0.0
    for pause in LlamaCloudSettings().looks(usual):
        passed += pause
        times.append(passed)
        if passed >= seconds:
            return times
    raise AssertionError("the pauses have an end")


@pytest.mark.parametrize("seconds", [0.3, 2, 7, 15, 19])
def test_the_end_of_a_short_job_is_noticed_within_a_second_even_by_a_process_that_knows_nothing(seconds: float) -> None:
    assert looks_until(seconds, 0)[-1] - seconds <= 1


@pytest.mark.parametrize("share", [0.6, 0.9, 1, 1.3])
def test_who_knows_how_long_a_job_takes_looks_seldom_and_notices_its_end_within_a_second(share: float) -> None:
    looks = looks_until(15 * share, 15)
    assert looks[-1] - 15 * share <= 1
    assert min(looks) == 9
    assert len(looks) <= 12


def test_a_long_job_is_looked_at_ever_more_rarely() -> None:
    looks = looks_until(600, 300)
    pauses = [later - earlier for earlier, later in pairwise(looks)]
    assert min(looks) == 180
    assert max(pauses) == 5
    assert looks_until(300, 0)[-1] - 300 <= 5


def test_a_process_learns_how_long_a_provider_takes_whatever_the_pages() -> None:
    durations = UsualDurations(PACE)
    assert durations.of(5) == 0
    durations.learn(5, 20)
    assert durations.of(5) == 20
    assert durations.of(95) == 200
    for _ in range(20):
        durations.learn(5, 5)
    assert 5 < durations.of(5) < 6


def test_the_pauses_between_tries_of_a_request_double() -> None:
    pauses = takewhile(lambda pause: pause < 5, LlamaCloudSettings().pauses())
    assert list(pauses) == [0.5, 1, 2, 4]
