"""Metrics out of a real Postgres: every event and every paid call is counted once, whoever asks and however often."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    SensorInstigatorData,
    TickData,
    TickStatus,
)
from dagster._daemon.types import DaemonHeartbeat

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.measuring import DagsterMeasurements, PostgresMeasurements
from ingest_assets.composition import Deployment
from ingest_assets.domain import metrics
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import IngestError, PermanentError, TransientError
from ingest_assets.domain.metrics import Metric
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.ports.measuring import Measurements
from ingest_assets.settings import sqlalchemy_url
from ingest_assets_tests import queue_rows
from ingest_assets_tests.contracts.measuring_contract import MeasurementsContract
from ingest_assets_tests.documents import claim_one, drain_all, ingest, policy_text, submit
from ingest_assets_tests.pipeline.test_failures import failing
from ingest_assets_tests.queue_rows import QueueRow

REPOSITORY = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("ingest_assets.definitions"), "__repository__")
EVENT = """
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor, code)
VALUES (%(id)s, %(id)s, %(id)s, 1, 'parsing', 'deadletter', 'test', %(code)s)
"""
CALL = """
INSERT INTO upload_pipeline.paid_calls (service, user_id, outcome, estimated_micro_usd, tokens, micro_usd, started_at,
    settled_at, expires_at)
SELECT 'openai', %(id)s, 'succeeded', 0, 100, 250000, clock_timestamp() - interval '2 seconds', clock_timestamp(), now()
"""


def values(measurements: Measurements, metric: Metric) -> dict[tuple[str, ...], float]:
    found: dict[tuple[str, ...], float] = {}
    for sample in measurements.take():
        if sample.metric is metric:
            labels = sample.labels if sample.bound is None else (*sample.labels, sample.bound)
            found[labels] = found.get(labels, 0) + sample.value
    return found


def add_event(connection: "psycopg.Connection[object]", code: str = "corrupt") -> None:
    connection.execute(EVENT.encode(), {"id": uuid4(), "code": code})


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    made = Database(database_url)
    yield made
    made.close()


@pytest.fixture
def measurements(database: Database) -> PostgresMeasurements:
    return PostgresMeasurements(database)


class TestPostgresMeasurements(MeasurementsContract):
    @pytest.fixture
    def measurements(self, deployment: Deployment, user: UserId, database: Database, database_url: str) -> Measurements:
        submit(deployment, user, b"%PDF-1.4 truncated", "bad.pdf")
        ingest(deployment, user, policy_text())
        submit(deployment, user, policy_text("Another"), "another.md")
        claim_one(deployment)
        with psycopg.connect(database_url) as connection:
            connection.execute(CALL.encode(), {"id": user})
        return PostgresMeasurements(database)


class TestDagsterMeasurements(MeasurementsContract):
    @pytest.fixture
    def measurements(self, dagster_url: str) -> Measurements:
        return DagsterMeasurements(lambda: dagster_url)


@pytest.fixture
def dagster_url(empty_database_url: str) -> str:
    """A database of a real Dagster with a heartbeat, a sensor that ticks, and one that is off."""
    now = time.time()
    with dg.instance_for_test(
        overrides={"storage": {"postgres": {"postgres_url": sqlalchemy_url(empty_database_url)}}}
    ) as made:
        made.add_daemon_heartbeat(DaemonHeartbeat(now - 100, "SENSOR", "a daemon", []))
        for name, status in (
            ("queued_jobs", InstigatorStatus.RUNNING),
            ("alert_of_failures", InstigatorStatus.STOPPED),
        ):
            origin = RemoteInstigatorOrigin(REPOSITORY, name)
            made.add_instigator_state(InstigatorState(origin, InstigatorType.SENSOR, status, SensorInstigatorData()))
        origin = RemoteInstigatorOrigin(REPOSITORY, "queued_jobs")
        for age in (500, 50):
            made.create_tick(
                TickData(
                    instigator_origin_id=origin.get_id(),
                    instigator_name="queued_jobs",
                    instigator_type=InstigatorType.SENSOR,
                    status=TickStatus.SKIPPED,
                    timestamp=now - age,
                    selector_id=origin.get_selector().get_id(),
                )
            )
    return empty_database_url


def test_a_document_is_counted_once_however_often_it_is_asked(
    deployment: Deployment, user: UserId, measurements: PostgresMeasurements
) -> None:
    assert values(measurements, metrics.FINISHED_TOTAL) == {}
    ingest(deployment, user, policy_text())
    for _ in range(2):
        assert values(measurements, metrics.FINISHED_TOTAL) == {(): 1}
        assert values(measurements, metrics.QUEUED_TOTAL) == {(): 1}
        assert values(measurements, metrics.JOBS) == {("embedded", "done"): 1}
    ways = values(measurements, metrics.WAY)
    assert sum(count for (bound,), count in ways.items() if bound != metrics.SUM) == 1


def test_a_document_leaves_each_stage_once(
    deployment: Deployment, user: UserId, measurements: PostgresMeasurements
) -> None:
    submit(deployment, user, policy_text())
    list(measurements.take())  # what follows is counted apart from what came before
    drain_all(deployment)
    stays = values(measurements, metrics.STEP)
    counts: dict[str, float] = {}
    for (stage, bound), count in stays.items():
        if bound != metrics.SUM:
            counts[stage] = counts.get(stage, 0) + count
    assert {stage: counts[stage] for stage in ("queued", "parsing", "chunking", "embedding", "embedded")} == {
        "queued": 1,
        "parsing": 1,
        "chunking": 1,
        "embedding": 1,
        "embedded": 1,
    }


def test_failures_are_counted_by_stage_and_code_and_dead_letters_by_cause(
    deployment: Deployment, user: UserId, measurements: PostgresMeasurements
) -> None:
    submit(deployment, user, policy_text())
    busy, corrupt = TransientError("timeout", seconds=120), PermanentError("corrupt")
    drain_all(failing(deployment, [busy, corrupt], 2))
    assert values(measurements, metrics.DEAD_LETTERS_TOTAL) == {("corrupt",): 1}
    assert values(measurements, metrics.RETRIES_TOTAL) == {(busy.code,): 1}
    failures = values(measurements, metrics.FAILURES_TOTAL)
    assert {labels[1:]: count for labels, count in failures.items()} == {
        ("corrupt", "permanent"): 1,
        (busy.code, "transient"): 1,
    }
    assert values(measurements, metrics.DEAD_LETTERS) == {("corrupt",): 1}


def test_a_code_that_the_catalogue_does_not_have_is_no_label_of_its_own(
    database_url: str, measurements: PostgresMeasurements
) -> None:
    with psycopg.connect(database_url) as connection:
        for code in ("corrupt", "of another release", "of yet another one"):
            add_event(connection, code)
    assert values(measurements, metrics.DEAD_LETTERS_TOTAL) == {("corrupt",): 1, (metrics.OTHER,): 2}


def test_an_event_that_becomes_visible_late_is_counted_all_the_same(
    database_url: str, measurements: PostgresMeasurements
) -> None:
    with psycopg.connect(database_url) as early, psycopg.connect(database_url) as late:
        add_event(early)
        add_event(late)
        late.commit()
        list(measurements.take())  # of the later id; the earlier one cannot be seen yet
        early.commit()
    assert values(measurements, metrics.DEAD_LETTERS_TOTAL) == {("corrupt",): 2}


def test_of_many_scrapes_at_once_each_tells_all_and_none_counts_twice(database: Database, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        for _ in range(50):
            add_event(connection)
    with ThreadPoolExecutor(6) as threads:
        scrapes = [PostgresMeasurements(database) for _ in range(6)]
        list(threads.map(lambda each: list(each.take()), scrapes))
    assert values(PostgresMeasurements(database), metrics.DEAD_LETTERS_TOTAL) == {("corrupt",): 50}


def test_a_scrape_counts_only_so_many_events_and_says_how_many_are_left(database: Database, database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        for _ in range(5):
            add_event(connection)
    measurements = PostgresMeasurements(database, at_once=2)
    assert values(measurements, metrics.HISTORY_BEHIND) == {(): 3}
    assert [values(measurements, metrics.DEAD_LETTERS_TOTAL)[("corrupt",)] for _ in range(2)] == [4, 5]
    assert values(measurements, metrics.HISTORY_BEHIND) == {(): 0}


def test_paid_calls_are_counted_with_what_they_used(database: Database, database_url: str, user: UserId) -> None:
    measurements = PostgresMeasurements(database, at_once=2)
    with psycopg.connect(database_url, autocommit=True) as connection:
        for _ in range(5):
            connection.execute(CALL.encode(), {"id": user})
    for _ in range(4):
        list(measurements.take())
    assert values(measurements, metrics.CALLS_TOTAL) == {("openai", "succeeded"): 5}
    assert values(measurements, metrics.TOKENS_TOTAL)[("openai",)] == 500
    assert values(measurements, metrics.COST_TOTAL)[("openai",)] == 1.25
    calls = values(measurements, metrics.CALL)
    assert calls["openai", "2.5"] == 5
    assert 10 <= calls["openai", metrics.SUM] < 11


def test_the_queue_is_measured_as_it_is(database_url: str, user: UserId, measurements: PostgresMeasurements) -> None:
    hour = timedelta(hours=1)
    queue_rows.fill(
        database_url,
        [
            QueueRow(user, age=hour),
            QueueRow(user),
            QueueRow(user, State.RETRYABLE, due_in=hour),
            QueueRow(user, State.WORKING),
            QueueRow(user, State.DEADLETTER),
            QueueRow(user, State.DONE),
        ],
    )
    assert values(measurements, metrics.JOBS) == {
        ("queued", "queued"): 2,
        ("queued", "retryable"): 1,
        ("queued", "working"): 1,
        ("queued", "deadletter"): 1,
        ("embedded", "done"): 1,
    }
    assert 3600 <= values(measurements, metrics.OLDEST)[("queued",)] < 3700
    assert values(measurements, metrics.CLAIMABLE) == {(): 2}
    assert values(measurements, metrics.RETRYABLE) == {("storage_failed",): 1}
    assert values(measurements, metrics.WORKERS) == {(): 1}
    assert values(measurements, metrics.LEASES) == {("alive",): 1, ("expired",): 0}


def test_what_is_paused_is_told_without_whose_it_is(
    database_url: str, user: UserId, other_user: UserId, measurements: PostgresMeasurements
) -> None:
    queue_rows.fill(database_url, [QueueRow(user), QueueRow(other_user)])
    with psycopg.connect(database_url) as connection:
        connection.execute("INSERT INTO upload_pipeline.pauses (user_id) VALUES (%s)", [user])
        connection.execute("INSERT INTO upload_pipeline.pauses (provider) VALUES ('openai')")
    assert values(measurements, metrics.CLAIMABLE) == {(): 1}
    assert values(measurements, metrics.PAUSES) == {("everything",): 0, ("user",): 1, ("provider",): 1}


def test_dagsters_daemon_and_sensors_are_measured(dagster_url: str) -> None:
    measurements = DagsterMeasurements(lambda: dagster_url)
    assert 100 <= values(measurements, metrics.HEARTBEAT_AGE)[("SENSOR",)] < 160
    assert values(measurements, metrics.SENSOR_ON) == {("queued_jobs",): 1, ("alert_of_failures",): 0}
    ticks = values(measurements, metrics.TICK_AGE)
    assert set(ticks) == {("queued_jobs",)}
    assert 50 <= ticks[("queued_jobs",)] < 110


def test_dagsters_database_without_dagsters_tables_is_away(database_url: str) -> None:
    with pytest.raises(IngestError):
        DagsterMeasurements(lambda: database_url).take()
