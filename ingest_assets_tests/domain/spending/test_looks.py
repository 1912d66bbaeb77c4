from collections.abc import Iterable
from itertools import accumulate, islice

import pytest

from ingest_assets.domain.spending.looks import LEARNT_FROM, UsualDurations


def usual(*seconds: float, pages: int = 3) -> UsualDurations:
    durations = UsualDurations(first_pause=0.5, longest_pause=5)
    for each in seconds:
        durations.note(pages, each)
    return durations


def looks_until(end: float, pauses: Iterable[float]) -> list[float]:
    """Return when a job that ends then is looked at, up to the look that sees the end."""
    times: list[float] = []
    for time in accumulate(pauses):
        times.append(time)
        if time >= end:
            break
    return times


def test_looks_become_rarer_while_nobody_knows_how_long_jobs_take() -> None:
    assert list(islice(usual().pauses(3), 6)) == [0.5, 1, 2, 4, 5, 5]
    assert list(islice(usual(*[15] * (LEARNT_FROM - 1)).pauses(3), 5)) == [0.5, 1, 2, 4, 5]


@pytest.mark.parametrize("end", [15.0, 15.9, 17.0, 29.0])
def test_an_end_at_the_usual_time_or_after_it_is_noticed_within_a_second(end: float) -> None:
    times = looks_until(end, usual(*[15.0] * 20).pauses(3))
    assert times[-1] - end < 1
    assert sum(time < 13.9 for time in times) == 1


def test_what_is_there_at_once_is_noticed_at_once() -> None:
    assert looks_until(0.2, usual(*[15.0] * 20).pauses(3)) == [0.5]


def test_jobs_that_become_quicker_are_learnt() -> None:
    durations, late = usual(*[15.0] * 50), 0.0
    for _ in range(200):
        seen = looks_until(8.0, durations.pauses(3))[-1]
        durations.note(3, seen)
        late = seen - 8.0
    assert late < 1


def test_jobs_that_become_slower_are_learnt() -> None:
    durations, looks = usual(*[15.0] * 50), 0
    for _ in range(200):
        seen = looks_until(40.0, durations.pauses(3))
        durations.note(3, seen[-1])
        looks = len(seen)
    assert looks <= 4


def test_a_job_that_is_long_overdue_is_looked_at_seldom() -> None:
    times = looks_until(300.0, usual(*[15.0] * 20).pauses(3))
    assert len(times) < 80
    assert times[-1] - times[-2] == 5


def test_documents_of_other_sizes_have_their_own_durations() -> None:
    assert list(islice(usual(*[15.0] * 20, pages=3).pauses(300), 3)) == [0.5, 1, 2]


def test_short_jobs_are_looked_at_often_from_the_start() -> None:
    assert looks_until(1.0, usual(*[1.0] * 20).pauses(3)) == pytest.approx([0.5, 1.4])
