"""A summary says what a day or a week has brought, once, in numbers of the real database."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import psycopg
import pytest
from pydantic import SecretStr

from ingest_assets.adapters.notice_formats import as_slack, as_teams
from ingest_assets.composition import Deployment
from ingest_assets.definitions import build_definitions
from ingest_assets.domain.alerting.summaries import Limits, Peaks, Period, Summary, Usage
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError, TransientError
from ingest_assets.domain.queue.flow import Flow
from ingest_assets.settings import Settings
from ingest_assets_tests.adapters.test_notice_formats import SLACK, TEAMS, validate
from ingest_assets_tests.alert_receiver import Receiver, receiving
from ingest_assets_tests.documents import drain_all, policy_text, submit
from ingest_assets_tests.passing_time import pass_minutes
from ingest_assets_tests.pipeline.test_failures import failing

DAY = 24 * 60
CALL = """
INSERT INTO upload_pipeline.paid_calls (service, user_id, estimated_micro_usd, outcome, tokens, micro_usd, expires_at,
    settled_at)
VALUES ('openai', %s, 0, 'succeeded', 1000, 2500000, now(), now())"""
IDLE = Flow(datetime(2026, 1, 1, tzinfo=UTC), 0, None, 0, None, 0, 0, 0, 0, None, None)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def settings(settings: Settings, receiver: Receiver) -> Settings:
    return settings.model_copy(update={"alert_webhook_url": SecretStr(receiver.url), "budget_usd_per_day": 10})


def work(deployment: Deployment, user: UserId, names: list[str]) -> None:
    for name in names:
        submit(deployment, user, policy_text(name), f"{name}.md")
    drain_all(deployment)


def test_a_day_is_summarised_once_with_what_the_day_before_had(
    deployment: Deployment, user: UserId, receiver: Receiver, database_url: str
) -> None:
    deployment.alerting.send_due()
    pass_minutes(database_url, 5)
    work(deployment, user, ["Optical", "Legal"])
    submit(deployment, user, policy_text("Canary"), "canary.md")
    drain_all(failing(deployment, PermanentError("corrupt"), 9))
    submit(deployment, user, policy_text("Late"), "late.md")
    with psycopg.connect(database_url) as connection:
        connection.execute(CALL, [user])
    deployment.alerting.send_due()
    receiver.received.clear()

    assert deployment.summarising.send(Period.DAY)
    assert not deployment.summarising.send(Period.DAY)
    [told] = receiver.received
    assert told["summary"] == "day"
    used = {"queued": 4, "finished": 2, "dead_letters": 1, "usd": 2.5, "tokens": 1000, "pages": 0}
    assert told["usage"] == used
    assert told["before"] is None
    assert told["budget_usd_per_day"] == 10
    assert told["waiting"] == 1
    [cause] = told["causes"]
    assert (cause["code"], cause["count"], cause["fix"]) == ("corrupt", 1, "ingest submit --code corrupt")
    assert "anary" not in str(told)

    pass_minutes(database_url, DAY - 3)
    deployment.alerting.send_due()
    pass_minutes(database_url, DAY - 5)
    assert deployment.summarising.send(Period.DAY)
    again = receiver.received[-1]
    assert (again["usage"]["finished"], again["before"]) == (0, used)


def test_a_week_is_compared_with_the_week_before(
    deployment: Deployment, user: UserId, receiver: Receiver, database_url: str
) -> None:
    deployment.alerting.send_due()
    pass_minutes(database_url, 5)
    work(deployment, user, ["Optical", "Legal"])
    deployment.alerting.send_due()
    pass_minutes(database_url, 7 * DAY - 2)
    work(deployment, user, ["Dental"])
    assert deployment.summarising.send(Period.WEEK)
    [told] = receiver.received
    assert (told["usage"]["finished"], told["before"]["finished"]) == (1, 2)


def test_a_summary_that_was_refused_is_sent_by_the_next_run(deployment: Deployment, receiver: Receiver) -> None:
    receiver.status = 500
    with pytest.raises(TransientError, match="alert_refused"):
        deployment.summarising.send(Period.WEEK)
    receiver.status = 200
    assert deployment.summarising.send(Period.WEEK)
    assert "of 2 workers were busy" in receiver.received[-1]["advice"]


def test_a_summary_is_nothing_that_an_alert_would_clear(deployment: Deployment, receiver: Receiver) -> None:
    deployment.summarising.send(Period.DAY)
    assert deployment.alerting.send_due() == 0
    assert len(receiver.received) == 1


def summary(usage: Usage, peaks: Peaks, before: Usage | None = None) -> Summary:
    return Summary(Period.WEEK, usage, before, IDLE, [], peaks, Limits(2, 10))


@pytest.mark.parametrize(
    ("peaks", "advice"),
    [
        (Peaks(2, 500), "Raise INGEST_DRAIN_WORKERS"),
        (Peaks(2, 5), "is enough"),
        (Peaks(0, 500), "more than enough"),
    ],
)
def test_a_week_says_whether_the_capacity_is_enough(peaks: Peaks, advice: str) -> None:
    assert advice in summary(Usage(2000, 1680, 0, 1, 0, 0), peaks).advice


@pytest.mark.parametrize(("form", "schema"), [(as_slack, SLACK), (as_teams, TEAMS)])
def test_slack_and_teams_take_summaries(form: Any, schema: dict[str, Any]) -> None:
    made = summary(Usage(20, 10, 1, 1.5, 5, 5), Peaks(1, 1), Usage(10, 5, 0, 1, 5, 5))
    told = form(made.notice)
    validate(told, schema)
    assert "20 (before: 10, +100 %)" in str(told)
    assert "1.50 (before: 1.00, +50 %) USD of 70.00 USD" in str(told)


@pytest.mark.parametrize(("schedule", "days"), [("daily_summary", 1), ("weekly_summary", 7)])
def test_a_schedule_starts_the_run_that_sends_it(
    deployment: Deployment, instance: dg.DagsterInstance, receiver: Receiver, schedule: str, days: int
) -> None:
    definitions = build_definitions(deployment)
    repository = definitions.get_repository_def()
    context = dg.build_schedule_context(
        instance, repository_def=repository, resources={"summarising": deployment.summarising}
    )
    found = repository.get_schedule_def(schedule).evaluate_tick(context)
    assert found.run_requests
    [request] = found.run_requests
    ran = definitions.resolve_job_def("send_summary").execute_in_process(request.run_config, instance=instance)
    assert ran.success
    assert receiver.received[0]["summary"] == {1: "day", 7: "week"}[days]


def test_without_an_address_the_schedules_say_so(instance: dg.DagsterInstance, database_url: str) -> None:
    made = Deployment(Settings(database_url=SecretStr(database_url)))
    repository = build_definitions(made).get_repository_def()
    for name in ("daily_summary", "weekly_summary"):
        context = dg.build_schedule_context(
            instance, repository_def=repository, resources={"summarising": made.summarising}
        )
        skipped = repository.get_schedule_def(name).evaluate_tick(context)
        assert skipped.skip_message == "INGEST_ALERT_WEBHOOK_URL is not set."
    made.close()
