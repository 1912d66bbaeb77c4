"""What is said of a queue."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.flow import UNATTENDED_AFTER, WINDOW, Flow, Verdict, verdict_on
from ingest_assets.domain.queue.pauses import Pause, Paused
from ingest_assets.settings import LOCAL_USER

NOW = datetime(2026, 1, 1, tzinfo=UTC)
IDLE = Flow(NOW, 0, None, 0, None, 0, 0, 0, 0, None, None)


@pytest.mark.parametrize(
    ("changed", "verdict"),
    [
        ({}, Verdict.IDLE),
        ({"waiting": 1}, Verdict.UNATTENDED),
        ({"waiting": 1, "looked_at": NOW - UNATTENDED_AFTER}, Verdict.UNATTENDED),
        ({"waiting": 1, "looked_at": NOW - UNATTENDED_AFTER / 2}, Verdict.FLOWING),
        ({"waiting": 1, "working": 1, "workers": 1}, Verdict.FLOWING),
        ({"abandoned": 1}, Verdict.UNATTENDED),
        ({"working": 1, "workers": 1}, Verdict.FLOWING),
        ({"retrying": 1}, Verdict.RETRYING),
    ],
)
def test_a_queue_is_judged_by_what_waits_and_who_looks(changed: dict[str, object], verdict: Verdict) -> None:
    assert verdict_on(replace(IDLE, **changed), []) is verdict  # type: ignore[arg-type]


def test_only_a_pause_of_everything_explains_a_queue_that_stands_still() -> None:
    waiting = replace(IDLE, waiting=1)
    assert verdict_on(waiting, [Pause(Paused(), NOW)]) is Verdict.PAUSED
    assert verdict_on(waiting, [Pause(Paused(user_id=UserId(LOCAL_USER)), NOW)]) is Verdict.UNATTENDED


def test_the_rest_takes_as_long_as_it_would_at_the_present_rate() -> None:
    assert replace(IDLE, waiting=30, working=20, finished=100).remaining == WINDOW / 2
    assert replace(IDLE, waiting=30).remaining is None
    assert replace(IDLE, finished=100).remaining is None
    assert replace(IDLE, finished=10).per_minute == 10 / (WINDOW / timedelta(minutes=1))
