"""What alerts must be able to rely on."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from ingest_assets.domain.errors import TransientError
from ingest_assets.domain.queue.alerts import Alert
from ingest_assets.pipeline.ports.alerting import AlertReceiver, AlertRecords
from ingest_assets_tests.alert_receiver import Receiver

HOUR, MINUTE, NOTHING = timedelta(hours=1), timedelta(minutes=1), timedelta(0)
ALERT = Alert(
    "needs_ocr", 3, 1, "A scan.", "Read it.", "ingest submit --code needs_ocr", datetime(2026, 1, 1, tzinfo=UTC)
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


class AlertReceiverContract:
    """A suite gives the fixtures `sender`, and `receiver`: what it sends to."""

    @pytest.fixture
    def sender(self) -> AlertReceiver:
        raise NotImplementedError

    def test_an_alert_arrives_whole(self, sender: AlertReceiver, receiver: Receiver) -> None:
        sender.send(ALERT)
        [told] = receiver.received
        assert told == {
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
            sender.send(ALERT)
