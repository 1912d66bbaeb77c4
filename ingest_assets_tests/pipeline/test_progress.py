"""When what a step changes is written: at once, or with what follows; never at anybody's cost."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import ResourceError
from ingest_assets.domain.queue.changes import Change, Move
from ingest_assets.domain.queue.jobs import Job
from ingest_assets.domain.queue.stages import Stage, State
from ingest_assets.pipeline.attempts import Attempt
from ingest_assets.pipeline.ports.processing import Progress
from ingest_assets.pipeline.progress import PATIENCE_SECONDS, REST_SECONDS, DeferredProgress, ImmediateProgress
from ingest_assets_tests.contracts.processing_contract import ProgressContract
from ingest_assets_tests.documents import TEST, a_slot, policy_text, submit


class TestImmediateProgress(ProgressContract):
    @pytest.fixture
    def progress_of(self, deployment: Deployment) -> Callable[[Job], Progress]:
        return lambda _: ImmediateProgress(deployment.changes, deployment.clock)


class TestDeferredProgress(ProgressContract):
    @pytest.fixture
    def progress_of(self, deployment: Deployment) -> Callable[[Job], Progress]:
        return lambda _: DeferredProgress(deployment.changes, deployment.clock)

    @pytest.fixture
    def see_to(self) -> Callable[[Progress], None]:
        def give_up(progress: Progress) -> None:
            assert isinstance(progress, DeferredProgress)
            progress.give_up()

        return give_up


LEASE = timedelta(seconds=30)


@dataclass
class SetClock:
    """Shows what it was set to."""

    time: float = 0.0

    def seconds(self) -> float:
        return self.time

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Begun:
    """A claimed document of a deployment whose clock can be set."""

    deployment: Deployment
    job: Job
    clock: SetClock
    progress: DeferredProgress = field(init=False)

    def __post_init__(self) -> None:
        self.progress = DeferredProgress(self.deployment.changes, self.clock)

    def move(self, stage: Stage, at: float, **facts: int) -> None:
        self.clock.time = at
        self.progress.write(Change(self.job, (Move(stage, at, dict(facts)),)))

    def stages(self) -> list[Stage]:
        history = self.deployment.documents.history(self.job.document.document_id)
        return [event.stage for event in history if event.actor == "worker"]


def begun(deployment: Deployment, user: UserId) -> Begun:
    clock = SetClock()
    submit(deployment, user, policy_text())
    timed = deployment.replacing(clock=clock)
    [job] = timed.claims.claim("worker", 1, LEASE)
    return Begun(timed, job, clock)


def test_young_and_free_changes_are_kept_back(deployment: Deployment, user: UserId) -> None:
    document = begun(deployment, user)
    document.move(Stage.JOB_VALIDATED, at=0.1)
    document.progress.catch_up()
    assert document.stages() == [Stage.QUEUED]


def test_what_takes_long_is_shown_before_a_second_has_passed(deployment: Deployment, user: UserId) -> None:
    document = begun(deployment, user)
    document.move(Stage.JOB_VALIDATED, at=0.1)
    document.clock.time = PATIENCE_SECONDS + 0.1
    assert document.clock.time < 1
    document.progress.catch_up()
    assert document.stages() == [Stage.QUEUED, Stage.JOB_VALIDATED]
    document.move(Stage.PARSING, at=9)
    assert document.stages()[-1] is Stage.PARSING


def test_a_document_whose_claim_was_lost_is_not_written_again_and_again(deployment: Deployment, user: UserId) -> None:
    document = begun(deployment, user)
    document.move(Stage.JOB_VALIDATED, at=0.1)
    document.deployment.claims.release("worker")
    document.clock.time = PATIENCE_SECONDS + 0.1
    with pytest.raises(ResourceError, match="claim_lost"):
        document.progress.catch_up()
    document.clock.time += REST_SECONDS - 0.1
    document.progress.catch_up()
    document.clock.time += 0.2
    with pytest.raises(ResourceError, match="claim_lost"):
        document.progress.catch_up()


def test_a_document_that_cannot_be_shown_holds_up_the_others_once_only(deployment: Deployment, user: UserId) -> None:
    [lost, other] = submitted(deployment, user, 2)
    clock = SetClock()
    timed = deployment.replacing(clock=clock)
    attempts = [timed.attempts.begin(job) for job in timed.claims.claim("worker", 2, LEASE)]
    for attempt in attempts:
        attempt.progress.write(Change(attempt.job, (Move(Stage.JOB_VALIDATED, 0.1),)))
    timed.claims.release("worker", lost)
    clock.time = PATIENCE_SECONDS + 0.1
    for _ in attempts:
        timed.attempts.catch_up(attempts)
    status = deployment.documents.status(other)
    assert status is not None
    assert status.stage is Stage.JOB_VALIDATED


def test_events_that_are_written_late_keep_their_times_and_their_order(deployment: Deployment, user: UserId) -> None:
    document = begun(deployment, user)
    for stage, at in ((Stage.JOB_VALIDATED, 0.0), (Stage.PARSING, 0.125), (Stage.PARSED, 0.375)):
        document.move(stage, at=at)
    document.move(Stage.PARSE_VALIDATED, at=0.5, pages=2)
    document.progress.give_up()
    events = deployment.documents.history(document.job.document.document_id)[-4:]
    assert [event.stage for event in events] == ["job_validated", "parsing", "parsed", "parse_validated"]
    apart = [(event.occurred_at - events[0].occurred_at).total_seconds() for event in events]
    assert apart == [0.0, 0.125, 0.375, 0.5]
    assert events[-1].payload == {"pages": 2, "seconds": 0.125}


def test_what_was_paid_for_is_written_at_once_with_all_that_came_before(deployment: Deployment, user: UserId) -> None:
    document = begun(deployment, user)
    document.move(Stage.JOB_VALIDATED, at=0.1)
    document.progress.write(Change(document.job, (Move(Stage.PARSING, 0.2),), is_paid=True))
    assert document.stages() == [Stage.QUEUED, Stage.JOB_VALIDATED, Stage.PARSING]
    assert document.progress.pending is None


WATCHED_WRITES = """
CREATE TABLE written (stage text, synchronous_commit text);
GRANT INSERT ON written TO ingest_worker;
CREATE FUNCTION watch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO public.written VALUES (NEW.stage, current_setting('synchronous_commit'));
    RETURN NEW;
END $$;
CREATE TRIGGER watch AFTER INSERT ON upload_pipeline.events FOR EACH ROW EXECUTE FUNCTION watch();
"""


@pytest.mark.parametrize(("is_paid", "waits_for_the_disk"), [(True, "on"), (False, "off")])
def test_a_paid_parse_is_on_the_disk_before_the_next_step(
    deployment: Deployment, user: UserId, *, is_paid: bool, waits_for_the_disk: str
) -> None:
    document = begun(deployment, user)
    with psycopg.connect(deployment.database_url, autocommit=True) as connection:
        connection.execute(WATCHED_WRITES)
        document.progress.write(Change(document.job, (Move(Stage.JOB_VALIDATED, 0.2),), is_paid=is_paid))
        document.progress.give_up()
        assert connection.execute("SELECT * FROM written").fetchall() == [("job_validated", waits_for_the_disk)]


def ready(deployment: Deployment, claim: str, count: int) -> list[Attempt]:
    """Documents that only their commit is missing of."""
    attempts = [deployment.attempts.begin(job) for job in deployment.claims.claim(claim, count, LEASE)]
    for attempt in attempts:
        assert deployment.attempts.process(attempt, a_slot()) is None
    return attempts


def submitted(deployment: Deployment, user: UserId, count: int) -> list[DocumentId]:
    return [
        submit(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md").document_id
        for number in range(count)
    ]


def test_changes_of_several_jobs_are_written_all_or_none(deployment: Deployment, user: UserId) -> None:
    submitted(deployment, user, 2)
    jobs = deployment.claims.claim("worker", 2, LEASE)
    deployment.claims.release("worker", jobs[1].document.document_id)
    changes = [Change(job, (Move(Stage.JOB_VALIDATED, 0.0),)) for job in jobs]
    with pytest.raises(ResourceError, match="claim_lost"):
        deployment.changes.write_all(changes, reported=False)
    assert "job_validated/working" not in deployment.documents.by_stage_and_state()


def test_documents_that_are_committed_together_are_all_searchable(deployment: Deployment, user: UserId) -> None:
    submitted(deployment, user, 3)
    assert deployment.attempts.commit(ready(deployment, "worker", 3)) == []
    assert deployment.documents.counts()["searchable"] == 3


def test_a_document_whose_claim_was_lost_holds_up_none_that_is_committed_with_it(
    deployment: Deployment, user: UserId
) -> None:
    [first, lost, last] = submitted(deployment, user, 3)
    attempts = ready(deployment, "worker", 3)
    deployment.claims.release("worker", lost)
    [failed] = deployment.attempts.commit(attempts)
    assert failed.attempt is attempts[1]
    found = {each: deployment.documents.status(each) for each in (first, lost, last)}
    assert {each: status.state for each, status in found.items() if status} == {
        first: State.DONE,
        lost: State.QUEUED,
        last: State.DONE,
    }


def test_a_version_that_lacks_vectors_fails_alone_and_shows_how_far_it_came(
    deployment: Deployment, user: UserId
) -> None:
    submitted(deployment, user, 2)
    attempts = ready(deployment, "worker", 2)
    incomplete = attempts[1].progress
    assert incomplete.pending is not None
    incomplete._pending = replace(incomplete.pending, vectors=())
    [failed] = deployment.attempts.commit(attempts)
    deployment.attempts.settle(failed)
    status = deployment.documents.status(attempts[1].job.document.document_id)
    assert status is not None
    assert (status.stage, status.error_code, status.searchable) == (Stage.EMBEDDING, "upstream_missing", False)


def test_a_replay_of_a_given_up_document_goes_on_from_its_buffers(deployment: Deployment, user: UserId) -> None:
    [document_id] = submitted(deployment, user, 1)
    [attempt] = ready(deployment, "worker", 1)
    attempt.progress.give_up()
    deployment.claims.release("worker")
    status = deployment.documents.status(document_id)
    assert status is not None
    assert (status.stage, status.state) == (Stage.EMBEDDING, State.QUEUED)
    deployment.operations.replay([document_id], TEST)
    assert deployment.attempts.commit(ready(deployment, "another", 1)) == []
