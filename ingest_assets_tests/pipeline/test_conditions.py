"""Conditions are made true in a real database: each is told once, not twice, and its end once; health tells nothing."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from pydantic import SecretStr

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.measuring import PostgresMeasurements
from ingest_assets.cli.lookout import looking_out
from ingest_assets.composition import Deployment
from ingest_assets.composition.measuring import Limits
from ingest_assets.domain import metrics
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.metrics import Sample
from ingest_assets.domain.queue.pauses import Paused
from ingest_assets.pipeline.alerting import Alerting
from ingest_assets.pipeline.lookout import Lookout
from ingest_assets.pipeline.measuring import Measuring, Source
from ingest_assets.settings import Settings
from ingest_assets_tests.alert_receiver import Receiver, receiving
from ingest_assets_tests.conftest import deployment_for
from ingest_assets_tests.documents import drain_all, policy_text, submit
from ingest_assets_tests.passing_time import pass_minutes
from ingest_assets_tests.pipeline.test_failures import failing
from ingest_assets_tests.waiting import until

SPENT = """
INSERT INTO upload_pipeline.spending (budget, subject, day, micro_usd)
VALUES ('day', '00000000-0000-0000-0000-000000000000', (now() AT TIME ZONE 'UTC')::date, %s)
ON CONFLICT (budget, subject, day) DO UPDATE SET micro_usd = excluded.micro_usd"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as made:
        yield made


@pytest.fixture
def settings(settings: Settings, receiver: Receiver) -> Settings:
    return settings.model_copy(update={"alert_webhook_url": SecretStr(receiver.url), "budget_usd_per_day": 10})


class Machine:
    """What a host and Dagster say, as the test wants it; everything else comes from the real database."""

    def __init__(self) -> None:
        self.used = 0.5
        self.heartbeat: float = 10
        self.ticked: float = 2
        self.sensor_on = 1
        self.dagster_up = 1

    def take(self) -> Iterator[Sample]:
        yield Sample(metrics.DISK_SIZE, ("home",), 100)
        yield Sample(metrics.DISK_FREE, ("home",), 100 * (1 - self.used))
        yield Sample(metrics.DAGSTER_UP, (), self.dagster_up)
        if self.dagster_up:
            yield Sample(metrics.HEARTBEAT_AGE, ("SENSOR",), self.heartbeat)
            yield Sample(metrics.SENSOR_ON, ("queued_jobs",), self.sensor_on)
            yield Sample(metrics.TICK_AGE, ("queued_jobs",), self.ticked)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def alerting(deployment: Deployment, machine: Machine) -> Alerting:
    real = PostgresMeasurements(deployment.measuring_database)
    sources = (Source(real, metrics.DATABASE_UP), Source(Limits(deployment.settings)), Source(machine))
    measuring = Measuring(sources, deployment.clock)
    return deployment.replacing(measuring=measuring).alerting


def states(receiver: Receiver, name: str) -> list[str]:
    return [told["state"] for told in receiver.received if told["alert"] == name]


def fires_and_clears(
    alerting: Alerting, receiver: Receiver, url: str, name: str, minutes: int, mend: Callable[[], object]
) -> None:
    """Check that the condition, which holds now, is told after so many minutes, and that its end is."""
    alerting.send_due()
    if minutes:
        assert states(receiver, name) == []
        pass_minutes(url, minutes - 1)
        alerting.send_due()
        assert states(receiver, name) == []
        pass_minutes(url, 1)
        alerting.send_due()
    assert states(receiver, name) == ["firing"]
    alerting.send_due()
    assert states(receiver, name) == ["firing"]
    mend()
    alerting.send_due()
    alerting.send_due()
    assert states(receiver, name) == ["firing", "cleared"]


def test_a_healthy_hour_tells_nothing(
    deployment: Deployment, alerting: Alerting, user: UserId, receiver: Receiver, database_url: str
) -> None:
    for number in range(12):
        submit(deployment, user, policy_text(f"Policy {number}"), f"{number}.md")
        drain_all(deployment)
        assert alerting.send_due() == 0
        pass_minutes(database_url, 5)
    assert receiver.received == []


def test_failures_of_more_than_a_twentieth_are_told_after_five_minutes(
    deployment: Deployment, alerting: Alerting, user: UserId, receiver: Receiver, database_url: str
) -> None:
    alerting.send_due()
    pass_minutes(database_url, 3)
    for number in range(3):
        submit(deployment, user, policy_text(f"Policy {number}"), f"{number}.md")
    drain_all(failing(deployment, PermanentError("corrupt"), 9))

    alerting.send_due()
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE upload_pipeline.alerts SET holds_since = holds_since - interval '5 minutes'")
    alerting.send_due()
    [told] = [each for each in receiver.received if each["alert"] == "IngestErrorRateCritical"]
    assert told["message"].startswith("100.0 % of the attempts")
    assert (told["severity"], told["fix"]) == ("critical", "ingest status --failed")
    pass_minutes(database_url, 11)
    alerting.send_due()
    alerting.send_due()
    assert states(receiver, "IngestErrorRateCritical") == ["firing", "cleared"]
    assert states(receiver, "IngestDeadLettersAppear") == ["firing"]


def test_two_failures_among_a_few_documents_are_no_error_rate(
    deployment: Deployment, alerting: Alerting, user: UserId, receiver: Receiver, database_url: str
) -> None:
    alerting.send_due()
    pass_minutes(database_url, 3)
    for number in range(2):
        submit(deployment, user, policy_text(f"Policy {number}"), f"{number}.md")
    drain_all(failing(deployment, PermanentError("corrupt"), 9))
    alerting.send_due()
    assert {each.key for each in alerting.records.held()} == {"IngestDeadLettersAppear:corrupt"}


def test_documents_that_nobody_takes_are_told_after_five_minutes(
    deployment: Deployment, alerting: Alerting, user: UserId, receiver: Receiver, database_url: str
) -> None:
    submit(deployment, user, policy_text())
    fires_and_clears(alerting, receiver, database_url, "IngestNoWorker", 5, lambda: drain_all(deployment))
    [fired, cleared] = receiver.received
    assert fired["message"] == "1 documents could be taken, and nobody has held any for five minutes."
    assert (fired["runbook"], cleared["state"]) == ("docs/runbooks/stuck-queue.md#what-to-do", "cleared")


def test_what_somebody_has_paused_needs_no_worker(
    deployment: Deployment, alerting: Alerting, user: UserId, receiver: Receiver, database_url: str
) -> None:
    deployment.pauses.pause(Paused())
    submit(deployment, user, policy_text())
    alerting.send_due()
    pass_minutes(database_url, 10)
    assert alerting.send_due() == 0


def test_a_queue_that_grows_for_half_an_hour_is_told_and_a_large_submission_is_not(
    deployment: Deployment, alerting: Alerting, user: UserId, receiver: Receiver, database_url: str
) -> None:
    deployment.pauses.pause(Paused())  # documents pile up, and nobody misses workers
    add = iter(range(1000))

    def arrive(count: int) -> None:
        for _ in range(count):
            number = next(add)
            submit(deployment, user, b"# Policy %d" % number, f"{number}.md")

    arrive(51)
    alerting.send_due()
    for _ in range(4):
        pass_minutes(database_url, 10)
        alerting.send_due()
    assert states(receiver, "IngestQueueGrows") == []
    for _ in range(4):
        arrive(1)
        alerting.send_due()
        pass_minutes(database_url, 10)
    arrive(1)
    fires_and_clears(alerting, receiver, database_url, "IngestQueueGrows", 0, lambda: pass_minutes(database_url, 20))


def test_a_provider_that_is_down_is_told_after_two_minutes(
    alerting: Alerting, receiver: Receiver, database_url: str
) -> None:
    def set_breaker(until: datetime | None) -> None:
        with psycopg.connect(database_url) as connection:
            connection.execute("UPDATE upload_pipeline.paid_services SET open_until = %s", [until])

    set_breaker(datetime.now(UTC))
    with psycopg.connect(database_url) as connection:
        services = connection.execute("SELECT count(*) FROM upload_pipeline.paid_services").fetchone()
    assert services is not None
    alerting.send_due()
    pass_minutes(database_url, 2)
    assert alerting.send_due() == services[0] > 1
    set_breaker(None)
    assert alerting.send_due() == services[0]
    assert states(receiver, "IngestProviderDown") == ["firing"] * services[0] + ["cleared"] * services[0]


def test_a_budget_is_told_of_at_four_fifths_and_when_it_is_spent(
    alerting: Alerting, receiver: Receiver, database_url: str
) -> None:
    def spend(micro_usd: int) -> None:
        with psycopg.connect(database_url) as connection:
            connection.execute(SPENT.encode(), [micro_usd])

    spend(7_900_000)
    assert alerting.send_due() == 0
    spend(8_500_000)
    assert alerting.send_due() == 1
    spend(10_000_000)
    fires_and_clears(alerting, receiver, database_url, "IngestBudgetSpent", 0, lambda: spend(1_000_000))
    assert states(receiver, "IngestBudgetNearlySpent") == ["firing", "cleared"]


def test_a_stage_that_takes_far_longer_than_usual_is_told(
    alerting: Alerting, receiver: Receiver, database_url: str
) -> None:
    def work(seconds: float, documents: int = 10) -> None:
        """So many documents have left the stage, after so many seconds each."""
        with psycopg.connect(database_url) as connection:
            for bucket, value in (("1.0", documents), ("sum", documents * seconds)):
                connection.execute(
                    "INSERT INTO upload_pipeline.totals AS total VALUES ('ingest_stage_seconds', %s, %s)"
                    " ON CONFLICT (metric, labels) DO UPDATE SET value = total.value + excluded.value",
                    [["parsing", bucket], value],
                )

    alerting.send_due()
    for _ in range(6):
        pass_minutes(database_url, 9)
        work(0.5, 1000)
        assert alerting.send_due() == 0
    pass_minutes(database_url, 9)
    work(8)
    alerting.send_due()
    for _ in range(2):
        pass_minutes(database_url, 5)
        work(8)
        alerting.send_due()
    assert states(receiver, "IngestStageSlow") == states(receiver, "IngestStageSlowCritical") == ["firing"]
    assert "parsing" in receiver.received[0]["summary"]
    pass_minutes(database_url, 11)
    alerting.send_due()
    assert states(receiver, "IngestStageSlow") == ["firing", "cleared"]


@pytest.mark.parametrize(
    ("name", "minutes", "sick", "well"),
    [
        ("IngestDaemonSilent", 2, {"heartbeat": 200}, {"heartbeat": 10}),
        ("IngestSensorSilent", 2, {"ticked": 400}, {"ticked": 1}),
        ("IngestSensorOff", 10, {"sensor_on": 0}, {"sensor_on": 1}),
        ("IngestDiskNearlyFull", 15, {"used": 0.85}, {"used": 0.5}),
    ],
)
def test_what_a_host_and_dagster_say_is_told(
    alerting: Alerting,
    machine: Machine,
    receiver: Receiver,
    database_url: str,
    name: str,
    minutes: int,
    sick: dict[str, float],
    well: dict[str, float],
) -> None:
    vars(machine).update(sick)
    fires_and_clears(alerting, receiver, database_url, name, minutes, lambda: vars(machine).update(well))


def test_what_is_unknown_has_not_ended(
    alerting: Alerting, machine: Machine, receiver: Receiver, database_url: str
) -> None:
    machine.heartbeat = 200
    alerting.send_due()
    pass_minutes(database_url, 2)
    alerting.send_due()
    machine.dagster_up = 0
    assert alerting.send_due() == 0
    machine.dagster_up = 1
    assert alerting.send_due() == 0
    machine.heartbeat = 1
    assert alerting.send_due() == 1
    assert states(receiver, "IngestDaemonSilent") == ["firing", "cleared"]


def test_another_hosts_disk_is_not_for_this_host_to_clear(
    deployment: Deployment, alerting: Alerting, machine: Machine, receiver: Receiver, database_url: str
) -> None:
    machine.used = 0.9
    alerting.send_due()
    pass_minutes(database_url, 15)
    assert alerting.send_due() == 1
    machine.used = 0.1
    other = Alerting(
        documents=alerting.documents,
        measuring=alerting.measuring,
        readings=alerting.readings,
        records=alerting.records,
        receiver=alerting.receiver,
        clock=alerting.clock,
        host=f"not {alerting.host}",
    )
    assert other.send_due() == 0
    assert alerting.send_due() == 1


def test_what_comes_and_goes_is_told_once_an_hour(
    alerting: Alerting, machine: Machine, receiver: Receiver, database_url: str
) -> None:
    for _ in range(4):
        machine.heartbeat = 200
        alerting.send_due()
        pass_minutes(database_url, 3)
        alerting.send_due()
        machine.heartbeat = 1
        alerting.send_due()
    assert states(receiver, "IngestDaemonSilent") == ["firing", "cleared"]


class SteppedClock(SystemClock):
    """A clock that goes on by as much as the test says."""

    passed = 0.0

    def seconds(self) -> float:
        return self.passed


def test_a_database_that_does_not_answer_is_told_by_whoever_looks_out(
    alerting: Alerting, receiver: Receiver, settings: Settings, parser: LocalParser
) -> None:
    away = settings.model_copy(update={"database_url": SecretStr("postgresql://postgres@127.0.0.1:9/none")})
    clock = SteppedClock()
    with deployment_for(away, parser) as made:
        out_of_reach = made.replacing(database=Database(made.database.url, patience=0.2)).documents
        lost = Lookout(replace(alerting, documents=out_of_reach, clock=clock))
        found = []
        for seconds in (0, 59, 60, 90, 3659, 3660):
            clock.passed = seconds
            found.append(lost.look())
    assert found == [0, 0, 1, 0, 0, 1]
    assert states(receiver, "IngestDatabaseUnreachable") == ["firing"] * 2
    lost._alerting = alerting
    assert [lost.look(), lost.look()] == [1, 0]
    assert states(receiver, "IngestDatabaseUnreachable") == ["firing", "firing", "cleared"]
    assert receiver.received[0]["subject"] == alerting.host


def test_a_command_looks_out_while_it_runs_whatever_the_receiver_does(
    deployment: Deployment, alerting: Alerting, machine: Machine, receiver: Receiver, database_url: str
) -> None:
    machine.heartbeat = 200
    alerting.send_due()
    pass_minutes(database_url, 2)
    receiver.status = 503
    with looking_out(deployment.replacing(alerting=alerting), seconds=0.01):
        until(lambda: receiver.received)
        receiver.status = 204
        until(lambda: [each.is_told for each in alerting.records.held()] == [True])
    assert "lookout" not in {thread.name for thread in threading.enumerate()}
