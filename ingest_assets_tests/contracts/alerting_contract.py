"""What alerts must be able to rely on."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from ingest_assets.domain.alerting.alerts import Alert, Failures
from ingest_assets.domain.alerting.conditions import DEAD_LETTERS_APPEAR
from ingest_assets.domain.alerting.readings import Reading
from ingest_assets.domain.alerting.summaries import Peaks
from ingest_assets.domain.errors import TransientError
from ingest_assets.pipeline.ports.alerting import AlertReceiver, AlertRecords, Readings
from ingest_assets_tests.alert_receiver import Receiver

HOUR, MINUTE, NOTHING = timedelta(hours=1), timedelta(minutes=1), timedelta(0)
ALERT = Alert(
    condition=DEAD_LETTERS_APPEAR,
    subject="needs_ocr",
    message="A scan.",
    hint="Read it.",
    fix="ingest submit --code needs_ocr",
    first_at=datetime(2026, 1, 1, tzinfo=UTC),
    failures=Failures("needs_ocr", 3, 1),
)


class AlertRecordsContract:
    """A suite gives the fixture `records`."""

    @pytest.fixture
    def records(self) -> AlertRecords:
        raise NotImplementedError

    def test_of_many_that_ask_at_once_one_sends(self, records: AlertRecords) -> None:
        with ThreadPoolExecutor(8) as threads:
            claimed = list(threads.map(lambda _: records.claim("corrupt", HOUR, MINUTE), range(16)))
        assert claimed.count(True) == 1

    def test_an_alert_that_was_sent_is_not_sent_again_before_the_pause_is_over(self, records: AlertRecords) -> None:
        assert records.claim("corrupt", HOUR, MINUTE)
        records.settle("corrupt", sent=True)
        assert not records.claim("corrupt", HOUR, MINUTE)
        assert records.claim("corrupt", NOTHING, MINUTE)

    def test_an_alert_that_was_not_sent_is_for_whoever_asks_next(self, records: AlertRecords) -> None:
        assert records.claim("corrupt", HOUR, MINUTE)
        records.settle("corrupt", sent=False)
        assert records.claim("corrupt", HOUR, MINUTE)

    def test_a_sender_that_never_comes_back_blocks_nobody_for_longer_than_it_may_take(
        self, records: AlertRecords
    ) -> None:
        assert records.claim("corrupt", HOUR, NOTHING)
        assert records.claim("corrupt", HOUR, MINUTE)
        assert not records.claim("corrupt", HOUR, MINUTE)

    def test_each_cause_has_its_own_hour(self, records: AlertRecords) -> None:
        assert records.claim("corrupt", HOUR, MINUTE)
        assert records.claim("needs_ocr", HOUR, MINUTE)

    def test_what_begins_holds_until_it_ends(self, records: AlertRecords) -> None:
        records.note(["corrupt", "needs_ocr"], [])
        first = {each.key: each for each in records.held()}
        records.note(["corrupt"], [])
        assert {each.key: each.holds_since for each in records.held()} == {
            key: each.holds_since for key, each in first.items()
        }
        records.note([], ["corrupt", "never_heard_of"])
        assert [each.key for each in records.held()] == ["needs_ocr"]

    def test_the_end_is_told_once_and_only_of_what_was_told(self, records: AlertRecords) -> None:
        records.note(["corrupt", "needs_ocr"], [])
        assert records.claim("corrupt", HOUR, MINUTE)
        records.settle("corrupt", sent=True)
        records.note([], ["corrupt", "needs_ocr"])
        [left] = records.held()
        assert (left.key, left.holds_since, left.is_told) == ("corrupt", None, True)
        assert not records.claim_clearing("needs_ocr", MINUTE)
        with ThreadPoolExecutor(8) as threads:
            claimed = list(threads.map(lambda _: records.claim_clearing("corrupt", MINUTE), range(16)))
        assert claimed.count(True) == 1
        records.settle_clearing("corrupt", sent=False)
        assert records.claim_clearing("corrupt", MINUTE)
        records.settle_clearing("corrupt", sent=True)
        assert not records.claim_clearing("corrupt", MINUTE)
        assert records.held() == []

    def test_what_ends_and_begins_again_keeps_its_hour(self, records: AlertRecords) -> None:
        assert records.claim("corrupt", HOUR, MINUTE)
        records.settle("corrupt", sent=True)
        assert records.claim_clearing("corrupt", MINUTE)
        records.settle_clearing("corrupt", sent=True)
        assert not records.claim("corrupt", HOUR, MINUTE)


class ReadingsContract:
    """A suite gives the fixtures `readings`, and `minutes_pass`, which makes what was kept older."""

    @pytest.fixture
    def readings(self) -> Readings:
        raise NotImplementedError

    def test_a_window_begins_with_the_first_reading_in_it(
        self, readings: Readings, minutes_pass: Callable[[int], None]
    ) -> None:
        for value in (1.0, 2.0, 3.0):
            readings.keep(Reading({("a_total", "x"): value}))
            minutes_pass(4)
        found = readings.first_within([5 * MINUTE, 10 * MINUTE, HOUR])
        assert {age: reading.values[("a_total", "x")] for age, reading in found.items()} == {
            5 * MINUTE: 3,
            10 * MINUTE: 2,
            HOUR: 1,
        }

    def test_one_reading_a_minute_is_kept_and_none_of_this_minute_is_given(
        self, readings: Readings, minutes_pass: Callable[[int], None]
    ) -> None:
        readings.keep(Reading({("a_total",): 1}))
        readings.keep(Reading({("a_total",): 2}))
        minutes_pass(2)
        [reading] = readings.first_within([HOUR]).values()
        assert reading.values == {("a_total",): 1}

    def test_peaks_are_those_of_the_readings_in_time(
        self, readings: Readings, minutes_pass: Callable[[int], None]
    ) -> None:
        assert readings.peaks(HOUR) == Peaks(0, 0)
        for workers, waiting in ((9, 900), (2, 30), (1, 40)):
            readings.keep(Reading({("ingest_workers",): workers, ("ingest_claimable_jobs",): waiting}))
            minutes_pass(25)
        assert readings.peaks(HOUR) == Peaks(2, 40)

    def test_old_readings_become_fewer_and_then_none(
        self, readings: Readings, minutes_pass: Callable[[int], None]
    ) -> None:
        for _ in range(25):
            readings.keep(Reading({}))
            minutes_pass(1)
        minutes_pass(27 * 60)
        readings.keep(Reading({}))
        assert 1 <= self.count() - 1 <= 3
        minutes_pass(15 * 24 * 60)
        readings.keep(Reading({}))
        assert self.count() == 1

    def count(self) -> int:
        raise NotImplementedError


class AlertReceiverContract:
    """A suite gives the fixtures `sender`, and `receiver`: what it sends to."""

    @pytest.fixture
    def sender(self) -> AlertReceiver:
        raise NotImplementedError

    def test_an_alert_arrives_whole(self, sender: AlertReceiver, receiver: Receiver) -> None:
        sender.send(ALERT.notice)
        [told] = receiver.received
        assert told == {
            "alert": "IngestDeadLettersAppear",
            "state": "firing",
            "severity": "warning",
            "subject": "needs_ocr",
            "summary": "Documents have become dead letters.",
            "runbook": "docs/runbooks/dead-letters.md#what-to-do",
            "code": "needs_ocr",
            "count": 3,
            "waiting": 1,
            "message": "A scan.",
            "hint": "Read it.",
            "fix": "ingest submit --code needs_ocr",
            "first_at": "2026-01-01T00:00:00+00:00",
        }

    @pytest.mark.parametrize("status", [302, 400, 404, 500])
    def test_an_answer_that_does_not_accept_it_is_an_error(
        self, sender: AlertReceiver, receiver: Receiver, status: int
    ) -> None:
        receiver.status = status
        with pytest.raises(TransientError, match=f"alert_refused: .*status {status}"):
            sender.send(ALERT.notice)
