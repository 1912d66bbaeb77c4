"""Somebody hears of each cause once an hour, whoever looks and however often; nothing else depends on it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import psycopg
import pytest
from pydantic import SecretStr, ValidationError

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.composition import Deployment
from ingest_assets.definitions import build_definitions
from ingest_assets.domain.alerting.alerts import PATIENCE, Failures, alerts_for
from ingest_assets.domain.alerting.conditions import DOCUMENTS_WAIT
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError, ResourceError, TransientError
from ingest_assets.domain.queue.jobs import FailedCause
from ingest_assets.domain.queue.stages import Stage
from ingest_assets.settings import Settings
from ingest_assets_tests.alert_receiver import Receiver, receiving
from ingest_assets_tests.conftest import deployment_for
from ingest_assets_tests.documents import drain_all, policy_text, submit
from ingest_assets_tests.pipeline.test_failures import failing

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def settings(settings: Settings, receiver: Receiver) -> Settings:
    return settings.model_copy(update={"alert_webhook_url": SecretStr(receiver.url)})


def fail(deployment: Deployment, user: UserId, code: str, name: str) -> None:
    submit(deployment, user, policy_text(name, 1), f"{name}.md")
    drain_all(failing(deployment, PermanentError(code), 9))


def later(database_url: str, minutes: int) -> None:
    """As if everything had been sent that much earlier."""
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "UPDATE upload_pipeline.alerts SET last_sent_at = last_sent_at - %s", [timedelta(minutes=minutes)]
        )


def test_each_cause_is_told_once_an_hour_by_all_workers_together(
    deployment: Deployment, settings: Settings, parser: LocalParser, user: UserId, receiver: Receiver, database_url: str
) -> None:
    fail(deployment, user, "needs_ocr", "Canary one")
    fail(deployment, user, "needs_ocr", "Canary two")
    fail(deployment, user, "corrupt", "Canary three")
    assert deployment.alerting.send_due() == 2
    with deployment_for(settings, parser) as restarted:
        assert restarted.alerting.send_due() == 0
        later(database_url, 59)
        assert restarted.alerting.send_due() == 0
        later(database_url, 1)
        assert restarted.alerting.send_due() == 2
    told = [(alert["code"], alert["count"], alert["fix"]) for alert in receiver.received[:2]]
    assert told == [("needs_ocr", 2, "ingest submit --code needs_ocr"), ("corrupt", 1, "ingest submit --code corrupt")]
    assert set(receiver.received[0]) == {
        *("alert", "state", "severity", "subject", "summary", "runbook"),
        *("code", "count", "waiting", "message", "hint", "fix", "first_at"),
    }
    assert "anary" not in str(receiver.received)


def test_an_alert_that_was_refused_is_sent_again_by_the_next_tick(
    deployment: Deployment, user: UserId, receiver: Receiver
) -> None:
    fail(deployment, user, "needs_ocr", "one")
    receiver.status = 503
    for _ in range(2):
        with pytest.raises(TransientError, match="alert_refused"):
            deployment.alerting.send_due()
    receiver.status = 200
    assert deployment.alerting.send_due() == 1
    assert len(receiver.received) == 3
    assert deployment.alerting.send_due() == 0


@pytest.mark.parametrize(("form", "part"), [("json", "alert"), ("slack", "blocks"), ("teams", "attachments")])
def test_the_setting_says_in_which_form(
    settings: Settings, parser: LocalParser, user: UserId, receiver: Receiver, form: str, part: str
) -> None:
    with deployment_for(settings.model_copy(update={"alert_format": form}), parser) as made:
        fail(made, user, "needs_ocr", "one")
        assert made.alerting.send_due() == 1
    assert part in receiver.received[0]


def test_nothing_is_told_where_nothing_failed(deployment: Deployment, user: UserId, receiver: Receiver) -> None:
    submit(deployment, user, policy_text())
    drain_all(deployment)
    assert deployment.alerting.send_due() == 0
    assert receiver.received == []


def test_a_retry_that_has_just_begun_to_wait_is_no_news(
    deployment: Deployment, user: UserId, receiver: Receiver
) -> None:
    submit(deployment, user, policy_text())
    patient = failing(deployment, ResourceError("database_slow", seconds=3), 1)
    drain_all(patient.replacing(retry_policy=deployment.retry_policy))
    assert deployment.alerting.send_due() == 0


def cause(waiting: int, since: datetime) -> FailedCause:
    return FailedCause("budget_spent", 3, waiting, (Stage.EMBEDDING,), "It is spent.", "Raise it.", since, NOW)


def test_documents_that_wait_for_long_are_news_and_the_command_has_them_tried_now() -> None:
    assert alerts_for([cause(3, NOW)], NOW) == []
    [alert] = alerts_for([cause(3, NOW - PATIENCE)], NOW)
    assert alert.failures == Failures("budget_spent", 3, 3)
    assert (alert.condition, alert.fix) == (DOCUMENTS_WAIT, "ingest retry --code budget_spent")
    assert alert.hint == "Raise it."
    [alert] = alerts_for([cause(2, NOW)], NOW)
    assert "replay" in alert.hint


def tick(deployment: Deployment, instance: dg.DagsterInstance) -> str | None:
    """What the sensor says."""
    definitions = build_definitions(deployment)
    sensor = definitions.resolve_sensor_def("alert_of_failures")
    context = dg.build_sensor_context(
        instance, repository_def=definitions.get_repository_def(), resources={"alerting": deployment.alerting}
    )
    return sensor.evaluate_tick(context).skip_message


def test_the_sensor_sends_and_says_how_many(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, receiver: Receiver
) -> None:
    fail(deployment, user, "needs_ocr", "one")
    assert tick(deployment, instance) == "Alerts sent: 1."
    assert len(receiver.received) == 1


def test_without_an_address_the_sensor_does_nothing(instance: dg.DagsterInstance, database_url: str) -> None:
    made = Deployment(Settings(database_url=SecretStr(database_url)))
    assert tick(made, instance) == "INGEST_ALERT_WEBHOOK_URL is not set."
    made.close()


@pytest.mark.parametrize("url", ["ftp://canary/x", "file:///etc/canary", "canary/path", "http:///canary"])
def test_only_addresses_on_the_web_are_taken_and_not_quoted_in_the_error(url: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Settings(alert_webhook_url=SecretStr(url))
    assert "canary" not in str(raised.value)
