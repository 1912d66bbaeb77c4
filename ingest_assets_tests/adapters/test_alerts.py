"""Alerts are kept in Postgres and posted to a real server."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from ingest_assets.adapters import alert_webhook
from ingest_assets.adapters.alert_webhook import AlertWebhook
from ingest_assets.adapters.postgres.queue.alerts import PostgresAlertRecords, PostgresReadings
from ingest_assets.composition import Deployment
from ingest_assets.domain.errors import TransientError
from ingest_assets.pipeline.ports.alerting import AlertReceiver, AlertRecords, Readings
from ingest_assets_tests.alert_receiver import Receiver, receiving
from ingest_assets_tests.contracts.alerting_contract import (
    ALERT,
    AlertReceiverContract,
    AlertRecordsContract,
    ReadingsContract,
)
from ingest_assets_tests.passing_time import pass_minutes


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


class TestPostgresAlertRecords(AlertRecordsContract):
    @pytest.fixture
    def records(self, deployment: Deployment) -> AlertRecords:
        return PostgresAlertRecords(deployment.database)


class TestPostgresReadings(ReadingsContract):
    @pytest.fixture(autouse=True)
    def of_this_test(self, database_url: str) -> None:
        self.url = database_url

    @pytest.fixture
    def readings(self, deployment: Deployment) -> Readings:
        return PostgresReadings(deployment.database)

    @pytest.fixture
    def minutes_pass(self) -> Callable[[int], None]:
        return lambda minutes: pass_minutes(self.url, minutes)

    def count(self) -> int:
        with psycopg.connect(self.url) as connection:
            row = connection.execute("SELECT count(*) FROM upload_pipeline.readings").fetchone()
        assert row is not None
        return int(row[0])


class TestAlertWebhook(AlertReceiverContract):
    @pytest.fixture
    def sender(self, receiver: Receiver) -> AlertReceiver:
        return AlertWebhook(receiver.url)


def refusal_by(url: str) -> str:
    with pytest.raises(TransientError) as raised:
        AlertWebhook(url).send(ALERT.notice)
    assert "SECRETTOKEN" not in str(raised.value)
    return str(raised.value)


def test_a_receiver_that_does_not_answer_is_given_up_on(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alert_webhook, "SECONDS", 0.1)
    receiver.stalls = True
    assert "no answer" in refusal_by(receiver.url)


def test_a_receiver_that_is_not_there_is_an_error_that_names_no_address(receiver: Receiver) -> None:
    assert "no answer" in refusal_by("http://127.0.0.1:9/hook?token=SECRETTOKEN")


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    with receiving() as elsewhere:
        receiver.status, receiver.location = 307, elsewhere.url
        assert "status 307" in refusal_by(receiver.url)
        assert elsewhere.received == []
