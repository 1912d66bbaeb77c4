"""The sensor and the schedule: what they start, for what they find."""

from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterEvent, DagsterEventType
from dagster._core.errors import ScheduleExecutionError
from hypothesis import given
from hypothesis import strategies as st

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError, ResourceError, TransientError
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.queue.retry_policy import Wait
from ingest_assets.domain.queue.stages import ORDER
from ingest_assets.orchestration import queue
from ingest_assets.orchestration.claims import CLAIM_TAG, DEAD_LETTER_TAG, LANE_TAG
from ingest_assets.orchestration.jobs import CLAIMING_SECONDS
from ingest_assets.orchestration.resources import resources_of
from ingest_assets.orchestration.schedules import retry_failed_partitions
from ingest_assets.orchestration.sensors import queued_jobs_sensor
from ingest_assets.settings import Settings
from ingest_assets_tests.contracts.reporting_contract import past_reservations
from ingest_assets_tests.documents import LEASE, claim_one, ingest, move, policy_text, submit
from ingest_assets_tests.orchestration.later import Later
from ingest_assets_tests.orchestration.leaking import leaking
from ingest_assets_tests.orchestration.runs import definitions, run_partition
from ingest_assets_tests.pipeline.test_failures import failing


def tick(
    deployment: Deployment, instance: dg.DagsterInstance, *, parsed_remotely: bool = False, **settings: Any
) -> list[dg.RunRequest]:
    definition = queued_jobs_sensor(Settings().model_copy(update=settings), parsed_remotely=parsed_remotely)
    with dg.build_sensor_context(
        instance=instance,
        definitions=definitions(deployment),
        sensor_name="queued_jobs",
        resources=resources_of(deployment),
    ) as context:
        ticked = definition(context)
    assert isinstance(ticked, dg.SensorResult | dg.SkipReason)
    requests = list(ticked.run_requests or []) if isinstance(ticked, dg.SensorResult) else []
    assert requests or (isinstance(ticked, dg.SkipReason) and ticked.skip_message), "an idle tick says why"
    return requests


def minute(deployment: Deployment, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    loaded = definitions(deployment)
    with dg.build_schedule_context(
        instance=instance, repository_def=loaded.get_repository_def(), resources=loaded.resources or {}
    ) as context:
        evaluated = retry_failed_partitions.evaluate_tick(context)
    assert evaluated.run_requests or evaluated.skip_message, "an idle tick says why"
    return list(evaluated.run_requests or [])


def test_an_empty_queue_starts_nothing(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    assert tick(deployment, instance) == []


def test_a_few_jobs_get_a_run_each_under_a_claim_of_its_own(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    ids = {str(submit(deployment, user, policy_text(f"Subject {n}", 2), f"{n}.md").document_id) for n in range(3)}
    requests = tick(deployment, instance, few_jobs=3)
    assert {request.partition_key for request in requests} == ids
    assert {request.job_name for request in requests} == {"ingest_document"}
    assert len({request.tags[CLAIM_TAG] for request in requests}) == 3
    assert set(instance.get_dynamic_partitions("documents")) == ids
    assert tick(deployment, instance, few_jobs=3) == []


def test_a_run_that_the_sensor_asked_for_finishes_its_document(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    submit(deployment, user, policy_text())
    [request] = tick(deployment, instance)
    assert request.partition_key is not None
    assert run_partition(deployment, instance, request.partition_key, tags=dict(request.tags)).success


def test_a_backlog_gets_drain_runs_by_its_size_up_to_the_limit(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    assert [request.job_name for request in tick(deployment, instance, few_jobs=4, drain_workers=3)] == ["drain_queue"]
    monkeypatch.setattr(queue, "JOBS_PER_WORKER", 2)
    assert len(tick(deployment, instance, few_jobs=4, drain_workers=9)) == 3
    assert len(tick(deployment, instance, few_jobs=4, drain_workers=2)) == 2
    assert deployment.backlog.waiting(10) == 5


def test_where_a_provider_parses_what_one_worker_may_have_there_is_worth_another(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    for number in range(5):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    limits: dict[str, Any] = {"few_jobs": 4, "drain_workers": 9, "parses_in_flight": 2}
    assert len(tick(deployment, instance, parsed_remotely=True, **limits)) == 3
    assert len(tick(deployment, instance, **limits)) == 1


def test_jobs_that_find_the_partition_runs_busy_are_drained(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    submit(deployment, user, policy_text())
    job = definitions(deployment).resolve_job_def("ingest_document")
    for _ in range(2):
        instance.create_run_for_job(job_def=job, status=dg.DagsterRunStatus.STARTED)
    assert [request.job_name for request in tick(deployment, instance, few_jobs=2)] == ["drain_queue"]


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_no_more_drain_runs_start_than_may_live(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, status: dg.DagsterRunStatus
) -> None:
    for number in range(5):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    start_drain_run(deployment, instance, status)
    assert tick(deployment, instance, few_jobs=4, drain_workers=1) == []


def test_a_few_jobs_are_left_to_a_drain_run_at_work(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    for number in range(2):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    run = start_drain_run(deployment, instance, dg.DagsterRunStatus.STARTED)
    deployment.claims.claim(run.run_id, 1, deployment.settings.lease)
    assert tick(deployment, instance, few_jobs=4, lease_seconds=0) == []
    deployment.claims.release(run.run_id)
    assert [request.job_name for request in tick(deployment, instance, few_jobs=4, lease_seconds=0)] == [
        "ingest_document",
        "ingest_document",
    ]


LANES: dict[str, Any] = {"lanes": True, "recognitions_in_flight": 1, "few_jobs": 9}


def lanes_of(requests: list[dg.RunRequest]) -> list[str]:
    """Return the lane of each drain run that was requested, which its tag and its configuration name."""
    lanes = [request.tags[LANE_TAG] for request in requests]
    configured = [request.run_config["ops"]["drain_documents"]["config"]["lane"] for request in requests]
    assert configured == [Lane(lane).name for lane in lanes]
    return lanes


def spread_over_lanes(deployment: Deployment, user: UserId, *, parse: int, ocr: int, embed: int) -> None:
    """Queue so many documents in each lane."""
    for number in range(parse + ocr + embed):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    for _ in range(embed):
        move(deployment, claim_one(deployment, "moving"), *ORDER[1:7])
    for job in deployment.claims.claim("settling", ocr, LEASE):
        past = Wait(datetime(2020, 1, 1, tzinfo=UTC))
        deployment.claims.settle(job, past, ResourceError("recognition_slow"), reported=False)
    deployment.claims.release("moving")


def test_with_lanes_each_has_drain_runs_by_what_waits_in_it(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    spread_over_lanes(deployment, user, parse=1, ocr=3, embed=0)
    assert lanes_of(tick(deployment, instance, drain_workers=9, **LANES)) == ["ocr", "parse", "ocr", "ocr"]


def test_each_lane_keeps_a_place_for_its_first_run(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "JOBS_PER_WORKER", 1)
    spread_over_lanes(deployment, user, parse=5, ocr=5, embed=0)
    assert lanes_of(tick(deployment, instance, drain_workers=6, **LANES)) == ["ocr", "parse", "ocr", "parse", "ocr"]
    past_reservations(deployment)
    for lane in ("ocr", "parse", "ocr", "parse", "ocr"):
        start_drain_run(deployment, instance, dg.DagsterRunStatus.NOT_STARTED, {LANE_TAG: lane})
    assert tick(deployment, instance, drain_workers=6, **LANES) == []
    move(deployment, claim_one(deployment, "moving"), *ORDER[1:7])
    deployment.claims.release("moving")
    assert lanes_of(tick(deployment, instance, drain_workers=6, **LANES)) == ["embed"]


LANE_COUNTS = st.dictionaries(st.sampled_from(list(Lane)), st.integers(0, 12))


@given(missing=LANE_COUNTS, claiming=LANE_COUNTS, room=st.integers(-2, 12))
def test_runs_that_are_shared_out_fit_and_let_each_lane_begin(
    missing: dict[Lane | None, int], claiming: dict[Lane | None, int], room: int
) -> None:
    chosen = queue.shared_out(missing, claiming, list(Lane), room)
    assert len(chosen) <= max(0, room)
    assert all(chosen.count(lane) <= missing.get(lane, 0) for lane in Lane)
    idle = [lane for lane in Lane if not claiming.get(lane)]
    if room >= len(idle):
        kept = sum(lane not in chosen for lane in idle)
        assert len(chosen) + kept <= max(room, len(idle))
        assert all(lane in chosen for lane in idle if missing.get(lane, 0) > 0)


def test_with_lanes_a_due_retry_is_left_to_its_lane(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    spread_over_lanes(deployment, user, parse=0, ocr=1, embed=0)
    laned = Deployment(deployment.settings.model_copy(update={"lanes": True}))
    with closing(laned):
        assert minute(laned, instance) == []
    assert deployment.backlog.waiting(9) == 1


def test_a_drain_run_that_only_finishes_what_it_has_gets_no_jobs_left(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    for number in range(2):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    run = start_drain_run(deployment, instance, dg.DagsterRunStatus.STARTED)
    deployment.claims.claim(run.run_id, 1, deployment.settings.lease)
    later = deployment.replacing(clock=Later(timedelta(seconds=CLAIMING_SECONDS)))
    assert [request.job_name for request in tick(later, instance, few_jobs=4)] == ["ingest_document"]


def test_a_backlog_does_not_wait_for_a_drain_run_that_only_finishes_what_it_has(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    for number in range(6):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    run = start_drain_run(deployment, instance, dg.DagsterRunStatus.STARTED)
    deployment.claims.claim(run.run_id, 1, deployment.settings.lease)
    later = deployment.replacing(clock=Later(timedelta(seconds=CLAIMING_SECONDS)))
    assert tick(later, instance, few_jobs=4, drain_workers=1) == []
    assert [request.job_name for request in tick(later, instance, few_jobs=4, drain_workers=2)] == ["drain_queue"]


def test_a_drain_run_that_holds_no_lease_while_jobs_wait_counts_as_dead(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    for number in range(6):
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    run = start_drain_run(deployment, instance, dg.DagsterRunStatus.STARTED)
    assert len(tick(deployment, instance, few_jobs=4, drain_workers=1, lease_seconds=0)) == 1
    deployment.claims.claim(run.run_id, 1, deployment.settings.lease)
    assert tick(deployment, instance, few_jobs=4, drain_workers=1, lease_seconds=0) == []


def start_drain_run(
    deployment: Deployment,
    instance: dg.DagsterInstance,
    status: dg.DagsterRunStatus,
    tags: dict[str, str] | None = None,
) -> dg.DagsterRun:
    job = definitions(deployment).resolve_job_def("drain_queue")
    run = instance.create_run_for_job(job_def=job, status=dg.DagsterRunStatus.NOT_STARTED, tags=tags)
    if status is dg.DagsterRunStatus.STARTED:
        instance.report_dagster_event(started(run), run_id=run.run_id)
    return run


def started(run: dg.DagsterRun) -> DagsterEvent:
    return DagsterEvent(DagsterEventType.RUN_START.value, run.job_name)


def test_the_schedule_retries_what_is_due_as_partition_runs(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    run_partition(
        failing(deployment, TransientError("unexpected", error="OSError", place="a test"), 1), instance, document_id
    )
    requests = minute(deployment, instance)
    assert [request.partition_key for request in requests] == [str(document_id)]
    assert run_partition(deployment, instance, document_id, tags=dict(requests[0].tags)).success


def test_the_schedule_leaves_what_is_not_due_alone(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = submit(deployment, user, policy_text()).document_id
    patient = failing(deployment, TransientError("unexpected", error="OSError", place="a test"), 1).replacing(
        retry_policy=replace(deployment.retry_policy, first_delay=timedelta(hours=1), longest_delay=timedelta(hours=1)),
    )
    run_partition(patient, instance, document_id)
    assert minute(deployment, instance) == []


def test_the_schedule_gives_a_dead_workers_documents_back(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    submit(deployment, user, policy_text())
    deployment.claims.claim("dead", 1, timedelta(0))
    assert deployment.backlog.waiting(1) == 0
    minute(deployment, instance)
    assert deployment.backlog.waiting(1) == 1


def test_the_sensor_gives_a_dead_workers_documents_back_at_once(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    submit(deployment, user, policy_text())
    deployment.claims.claim("dead", 1, timedelta(0))
    assert len(tick(deployment, instance)) == 1


def test_the_schedule_shows_each_dead_letter_of_a_drain_run_once(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    broken = failing(deployment, PermanentError("corrupt"), 3)
    ids = {str(ingest(broken, user, policy_text(f"Subject {number}"), f"{number}.md")) for number in range(3)}
    requests = minute(deployment, instance)
    assert {request.partition_key for request in requests} == ids
    assert all(DEAD_LETTER_TAG in request.tags for request in requests)
    assert minute(deployment, instance) == []


@pytest.mark.parametrize(("port", "method"), [("listings", "moved_away"), ("claims", "reclaim"), ("claims", "claim")])
def test_what_fails_in_a_minute_stops_nothing_else(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId, port: str, method: str
) -> None:
    document_id = ingest(failing(deployment, PermanentError("corrupt"), 1), user, policy_text())
    submit(deployment, user, policy_text("Other"), "other.md")
    deployment.claims.claim("dead", 1, timedelta(0))
    at_once = replace(deployment.retry_policy, reconnection=timedelta(0))
    requests = minute(leaking(deployment.replacing(retry_policy=at_once), port, method), instance)
    assert [request.partition_key for request in requests if DEAD_LETTER_TAG in request.tags] == [str(document_id)]
    assert deployment.backlog.waiting(1) == (method != "reclaim")


def test_a_minute_in_which_only_a_failure_happened_has_failed(
    deployment: Deployment, instance: dg.DagsterInstance
) -> None:
    with pytest.raises(ScheduleExecutionError):
        minute(leaking(deployment, "listings", "moved_away"), instance)


def test_a_dead_letter_whose_run_was_never_stored_is_shown_by_a_later_one(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    document_id = ingest(failing(deployment, PermanentError("corrupt"), 1), user, policy_text())
    assert len(minute(deployment, instance)) == 1
    past_reservations(deployment)
    [request] = minute(deployment, instance)
    assert not run_partition(deployment, instance, document_id, tags=dict(request.tags)).success
    past_reservations(deployment)
    assert minute(deployment, instance) == []


def test_runs_of_one_tick_are_told_apart_as_dagster_demands(
    deployment: Deployment, instance: dg.DagsterInstance, user: UserId
) -> None:
    broken = failing(deployment, PermanentError("corrupt"), 2)
    for number in range(2):
        ingest(broken, user, policy_text(f"Subject {number}"), f"{number}.md")
    for number in range(2, 4):
        document_id = submit(deployment, user, policy_text(f"Subject {number}"), f"{number}.md").document_id
        run_partition(
            failing(deployment, TransientError("unexpected", error="OSError", place="a test"), 1), instance, document_id
        )
    keys = [request.run_key for request in minute(deployment, instance)]
    assert len(keys) == 4
    assert None not in keys
    assert len(set(keys)) == 4
