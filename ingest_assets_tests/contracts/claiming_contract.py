"""What the queue must do for those who work on documents."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import IngestError, OutageError, PermanentError, ResourceError, TransientError
from ingest_assets.domain.queue.jobs import LIGHT_BYTES
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.queue.retry_policy import Decision, GiveUp, RetryAt, Wait
from ingest_assets.domain.queue.stages import ORDER, Stage, State
from ingest_assets.pipeline.ports.claiming import Backlog, Claims
from ingest_assets_tests.documents import LEASE, TEST, ingest, move, policy_text, status_of, submit

CORRUPT = PermanentError("corrupt")
BUSY = TransientError("unexpected", error="OSError", place="a test")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
TOMORROW = datetime.now(UTC) + timedelta(days=1)


def fill(deployment: Deployment, user: UserId, count: int) -> list[DocumentId]:
    """Queue documents and return them in the order in which they came."""
    texts = [f"# Note {number}\n\nText." for number in range(count)]
    return [submit(deployment, user, text, f"{number}.md").document_id for number, text in enumerate(texts)]


def claimed(claims: Claims, limit: int = 9, *, retries_only: bool = False) -> list[DocumentId]:
    return [job.document.document_id for job in claims.claim("worker", limit, LEASE, retries_only=retries_only)]


class ClaimsContract:
    """A suite gives the fixture `claims`: those of its deployment."""

    @pytest.fixture
    def claims(self, deployment: Deployment) -> Claims:
        raise NotImplementedError

    def test_twenty_claimers_get_every_job_once(self, claims: Claims, deployment: Deployment, user: UserId) -> None:
        wanted = fill(deployment, user, 60)

        def work(worker: int) -> list[DocumentId]:
            mine: list[DocumentId] = []
            while found := claims.claim(f"worker {worker}", 3, LEASE):
                mine += [job.document.document_id for job in found]
            return mine

        with ThreadPoolExecutor(20) as pool:
            got = [document for mine in pool.map(work, range(20)) for document in mine]
        assert sorted(got) == sorted(wanted)

    def test_jobs_are_claimed_in_the_order_in_which_they_came(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        assert fill(deployment, user, 5) == claimed(claims)

    def test_users_take_turns_that_go_on_with_the_next_claim(
        self, claims: Claims, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        many, few = fill(deployment, user, 4), fill(deployment, other_user, 2)
        turns = [document_id for _ in range(2) for document_id in claimed(claims, limit=2)]
        assert sorted(turns) == sorted(many[:2] + few)
        assert claimed(claims) == many[2:]

    def test_a_users_higher_priorities_are_claimed_first(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        ids = [
            submit(deployment, user, f"Note {priority}.", f"{priority}.txt", priority).document_id
            for priority in (0, -5, 5)
        ]
        assert claimed(claims) == [ids[2], ids[0], ids[1]]

    def test_a_new_version_has_the_priority_it_was_submitted_with(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        [first, second] = [submit(deployment, user, f"Note {name}.", f"{name}.txt", 1).document_id for name in "ab"]
        submit(deployment, user, "Note b, edited.", "b.txt", priority=2)
        submit(deployment, user, "Note a, edited.", "a.txt")
        third = submit(deployment, user, "Note c.", "c.txt", priority=1).document_id
        assert claimed(claims) == [second, third, first]

    def test_a_retry_is_claimed_when_it_is_due_and_apart_from_new_jobs_where_that_is_asked_for(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        due, later, _ = fill(deployment, user, 3)
        for document_id, when in [(due, LONG_AGO), (later, TOMORROW)]:
            job = claims.take(document_id, "worker", LEASE, Stage.JOB_VALIDATED)
            claims.settle(job, RetryAt(when), BUSY, reported=False)
        assert claimed(claims, retries_only=True) == [due]

    def test_light_documents_are_claimed_alone_where_that_is_asked_for(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        large = submit(deployment, user, "a " * LIGHT_BYTES, "large.txt").document_id
        slow, first, second = fill(deployment, user, 3)
        job = claims.take(slow, "worker", LEASE, Stage.JOB_VALIDATED)
        claims.settle(job, RetryAt(LONG_AGO), TransientError("timeout", seconds=1), reported=False)
        light = claims.claim("worker", 9, LEASE, light_only=True)
        assert [(job.document.document_id, job.is_heavy) for job in light] == [(first, False), (second, False)]
        heavy = claims.claim("worker", 9, LEASE)
        assert [(job.document.document_id, job.is_heavy) for job in heavy] == [(large, True), (slow, True)]

    def test_the_jobs_of_one_lane_are_claimed_and_counted_alone_where_that_is_asked_for(
        self, claims: Claims, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        scans, rest = fill(deployment, user, 2), fill(deployment, other_user, 3)
        for document_id in scans:
            job = claims.take(document_id, "worker", LEASE, Stage.JOB_VALIDATED)
            claims.settle(job, Wait(LONG_AGO), ResourceError("recognition_slow"), reported=False)
        [begun] = claims.claim("worker", 1, LEASE, lane=Lane.PARSE)
        move(deployment, begun, *ORDER[1:7])
        claims.release("worker")
        waiting = {lane: deployment.backlog.waiting(9, lane) for lane in (None, *Lane)}
        assert waiting == {None: 5, Lane.PARSE: 2, Lane.OCR: 2, Lane.EMBED: 1}
        [embedding] = claims.claim("worker", 9, LEASE, lane=Lane.EMBED)
        assert embedding.document.document_id == begun.document.document_id
        found = claims.claim("worker", 9, LEASE, lane=Lane.OCR)
        assert [job.document.document_id for job in found] == scans
        assert {job.lane for job in found} == {Lane.OCR}
        assert sorted([*claimed(claims), embedding.document.document_id]) == sorted(rest)

    def test_users_take_turns_within_a_lane(
        self, claims: Claims, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        many, few = fill(deployment, user, 4), fill(deployment, other_user, 2)
        turns = [claims.claim("worker", 2, LEASE, lane=Lane.PARSE) for _ in range(2)]
        assert sorted(job.document.document_id for turn in turns for job in turn) == sorted(many[:2] + few)

    def test_a_crash_counts_only_against_a_document_that_was_begun(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        [document_id] = fill(deployment, user, 1)
        for _ in range(3):
            claims.claim("dying", 1, timedelta(0))
            assert claims.reclaim(1, TEST) == 1
        assert (status_of(deployment, document_id).state, status_of(deployment, document_id).crashes) == ("queued", 0)
        claims.begin(claims.claim("dying", 1, timedelta(0)))
        assert claims.reclaim(2, TEST) == 1
        assert (status_of(deployment, document_id).state, status_of(deployment, document_id).crashes) == ("queued", 1)
        claims.begin(claims.claim("dying", 1, timedelta(0)))
        assert claims.reclaim(2, TEST) == 1
        status = status_of(deployment, document_id)
        assert (status.state, status.error_code) == (State.DEADLETTER, "crashed_worker")

    def test_an_expired_lease_is_anybodys_and_a_renewed_one_is_not(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        fill(deployment, user, 2)
        claims.claim("silent", 1, timedelta(0))
        claims.claim("alive", 1, timedelta(0))
        assert claims.renew("alive", LEASE) == 1
        assert claims.reclaim(3, TEST) == 1
        assert deployment.backlog.waiting(5) == 1

    def test_a_finished_or_given_up_document_can_be_taken_for_a_stage(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        job = claims.take(document_id, "somebody", LEASE, Stage.CHUNKING)
        assert (job.document.document_id, job.claim, job.stage) == (document_id, "somebody", Stage.PARSE_VALIDATED)
        claims.settle(job, GiveUp(), CORRUPT, reported=False)
        again = claims.take(document_id, "somebody else", LEASE, Stage.CHUNKING)
        assert (again.claim, again.attempt) == ("somebody else", 1)

    def test_what_cannot_be_taken_says_why(self, claims: Claims, deployment: Deployment, user: UserId) -> None:
        [document_id] = fill(deployment, user, 1)
        assert refused(claims, DocumentId(uuid4()), Stage.JOB_VALIDATED) == "unknown_document"
        assert refused(claims, document_id, Stage.EMBEDDING) == "upstream_missing"
        claims.claim("another", 1, LEASE)
        assert refused(claims, document_id, Stage.JOB_VALIDATED) == "claimed_elsewhere"

    def test_what_the_claim_holds_is_taken_again_without_another_event(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        [document_id] = fill(deployment, user, 1)
        taken = claims.take(document_id, "worker", LEASE, Stage.JOB_VALIDATED)
        before = deployment.documents.history(document_id)
        assert claims.take(document_id, "worker", LEASE, Stage.JOB_VALIDATED) == taken
        assert deployment.documents.history(document_id) == before

    def test_a_job_is_given_to_its_holder_with_a_renewed_lease(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        [document_id] = fill(deployment, user, 1)
        assert claims.hold(document_id, "worker", LEASE) is None
        [job] = claims.claim("worker", 1, timedelta(0))
        assert claims.hold(document_id, "worker", LEASE) == job
        assert claims.hold(document_id, "somebody else", LEASE) is None
        assert claims.reclaim(3, TEST) == 0

    def test_a_failed_job_becomes_what_was_decided(self, claims: Claims, deployment: Deployment, user: UserId) -> None:
        ids = fill(deployment, user, 3)
        decisions: list[Decision] = [GiveUp(), RetryAt(TOMORROW), Wait(TOMORROW)]
        for job, decision in zip(claims.claim("worker", 3, LEASE), decisions, strict=True):
            claims.settle(job, decision, CORRUPT, reported=False)
        told = [status_of(deployment, document_id) for document_id in ids]
        assert [(each.state, each.attempts, each.next_retry_at) for each in told] == [
            (State.DEADLETTER, 1, None),
            (State.RETRYABLE, 1, TOMORROW),
            (State.RETRYABLE, 0, TOMORROW),
        ]
        assert {(each.error_code, each.error_message, each.claimed_by) for each in told} == {
            (CORRUPT.code, CORRUPT.message, None)
        }

    def test_attempts_are_counted_by_their_cause_and_those_that_wait_for_the_world_not_in_all(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        [document_id] = fill(deployment, user, 1)
        for error in (BUSY, OutageError("storage_full"), TransientError("timeout", seconds=1), BUSY):
            [job] = claims.claim("worker", 1, LEASE)
            decision = Wait(LONG_AGO) if isinstance(error, ResourceError) else RetryAt(LONG_AGO)
            claims.settle(job, decision, error, reported=False)
        [job] = claims.claim("worker", 1, LEASE)
        assert (job.attempt, job.failures) == (4, {"unexpected": 2, "timeout": 1, "storage_full": 1})
        assert [job.attempt_of(code) for code in ("unexpected", "timeout", "storage_full", "corrupt")] == [3, 2, 2, 1]
        assert claims.hold(document_id, "worker", LEASE) == job

    def test_whoever_lost_the_claim_settles_nothing(self, claims: Claims, deployment: Deployment, user: UserId) -> None:
        [document_id] = fill(deployment, user, 1)
        [lost] = claims.claim("silent", 1, timedelta(0))
        claims.reclaim(3, TEST)
        claims.claim("next", 1, LEASE)
        before = status_of(deployment, document_id)
        claims.settle(lost, GiveUp(), CORRUPT, reported=False)
        assert status_of(deployment, document_id) == before

    def test_a_failure_that_dagster_shows_is_not_reported_again(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        told, untold = fill(deployment, user, 2)
        for job in claims.claim("worker", 2, LEASE):
            claims.settle(job, GiveUp(), CORRUPT, reported=job.document.document_id == told)
        with deployment.reports.dead_letters(9) as unreported:
            assert unreported == [untold]

    def test_released_jobs_can_be_claimed_at_once(self, claims: Claims, deployment: Deployment, user: UserId) -> None:
        fill(deployment, user, 3)
        claims.claim("leaving", 3, LEASE)
        assert claims.release("leaving") == 3
        assert len(claims.claim("next", 5, LEASE)) == 3

    def test_one_document_is_released_alone(self, claims: Claims, deployment: Deployment, user: UserId) -> None:
        first, _ = fill(deployment, user, 2)
        claims.claim("leaving", 2, LEASE)
        assert claims.release("leaving", first) == 1
        assert claims.release("leaving", first) == 0
        assert claimed(claims) == [first]

    def test_what_was_once_given_to_a_claim_is_known_whatever_came_after(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        document_id, other = fill(deployment, user, 2)
        assert not claims.has_given(document_id, "worker")
        claims.claim("worker", 1, LEASE)
        assert claims.has_given(document_id, "worker")
        claims.release("worker")
        assert claims.has_given(document_id, "worker")
        assert not claims.has_given(document_id, "test")  # it handed the document in
        assert not claims.has_given(other, "worker")

    def test_every_change_leaves_an_event_with_its_actor(
        self, claims: Claims, deployment: Deployment, user: UserId
    ) -> None:
        document_id = submit(deployment, user, policy_text()).document_id
        [job] = claims.claim("worker", 1, LEASE)
        move(deployment, job, Stage.JOB_VALIDATED, Stage.PARSING)
        claims.release("worker")
        told = [(event.stage, event.state, event.actor) for event in deployment.documents.history(document_id)]
        assert told == [
            ("queued", "queued", "test"),
            ("queued", "working", "worker"),
            ("job_validated", "working", "worker"),
            ("parsing", "working", "worker"),
            ("parsing", "queued", "worker"),
        ]


def refused(claims: Claims, document_id: DocumentId, stage: Stage) -> str:
    with pytest.raises(IngestError) as raised:
        claims.take(document_id, "worker", LEASE, stage)
    assert isinstance(raised.value, ResourceError) == (raised.value.code == "claimed_elsewhere")
    return raised.value.code


class BacklogContract:
    """A suite gives the fixture `backlog`: that of its deployment."""

    @pytest.fixture
    def backlog(self, deployment: Deployment) -> Backlog:
        raise NotImplementedError

    def test_what_could_be_claimed_is_counted_up_to_a_limit(
        self, backlog: Backlog, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        assert backlog.waiting(5) == 0
        fill(deployment, user, 3)
        fill(deployment, other_user, 3)
        assert (backlog.waiting(5), backlog.waiting(10)) == (5, 6)
        deployment.claims.claim("worker", 4, LEASE)
        assert backlog.waiting(10) == 2

    def test_live_workers_are_those_with_a_lease_that_has_not_expired(
        self, backlog: Backlog, deployment: Deployment, user: UserId
    ) -> None:
        fill(deployment, user, 3)
        deployment.claims.claim("alive", 1, LEASE)
        deployment.claims.claim("silent", 1, timedelta(0))
        assert backlog.holders() == {"alive"}

    def test_what_waits_is_worked_on_or_is_to_be_tried_again_is_unfinished(
        self, backlog: Backlog, deployment: Deployment, user: UserId
    ) -> None:
        assert not backlog.unfinished()
        fill(deployment, user, 1)
        assert backlog.unfinished()
        [job] = deployment.claims.claim("worker", 1, LEASE)
        assert backlog.unfinished()
        deployment.claims.settle(job, RetryAt(TOMORROW), BUSY, reported=False)
        assert backlog.unfinished()
        deployment.operations.replay([job.document.document_id], TEST)
        [job] = deployment.claims.claim("worker", 1, LEASE)
        deployment.claims.settle(job, GiveUp(), CORRUPT, reported=False)
        assert not backlog.unfinished()
