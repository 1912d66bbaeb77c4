"""What the queue must do for people who put documents back into it."""

import pytest

from ingest_assets.adapters.providers import OPENAI
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, Producer, UserId
from ingest_assets.domain.documents.outdated import FirstStep
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.flow import Flow, Verdict, verdict_on
from ingest_assets.domain.queue.pauses import Paused
from ingest_assets.domain.queue.retry_policy import GiveUp, RetryAt
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.ports.operating import Flows, Operations, Pauses
from ingest_assets_tests.contracts.claiming_contract import BUSY, CORRUPT, TOMORROW, fill
from ingest_assets_tests.documents import LEASE, TEST, ingest, policy_text, status_of, submit

NEXT = Producer("the next", "1")


class OperationsContract:
    """A suite gives the fixture `operations`: those of its deployment."""

    @pytest.fixture
    def operations(self, deployment: Deployment) -> Operations:
        raise NotImplementedError

    def test_dead_letters_and_waiting_retries_are_queued_without_their_failures(
        self, operations: Operations, deployment: Deployment, user: UserId
    ) -> None:
        dead, waiting, held, queued = fill(deployment, user, 4)
        jobs = deployment.claims.claim("worker", 3, LEASE)
        deployment.claims.settle(jobs[0], GiveUp(), CORRUPT, reported=True)
        deployment.claims.settle(jobs[1], RetryAt(TOMORROW), BUSY, reported=True)
        assert set(operations.replay([dead, waiting, held, queued], TEST)) == {dead, waiting}
        for document_id in (dead, waiting):
            status = status_of(deployment, document_id)
            assert (status.state, status.attempts, status.error_code) == (State.QUEUED, 0, None)
            assert deployment.documents.history(document_id)[-1].actor == TEST.name
        assert status_of(deployment, held).state is State.WORKING

    def test_a_replayed_document_keeps_its_priority(
        self, operations: Operations, deployment: Deployment, user: UserId
    ) -> None:
        urgent = submit(deployment, user, "Note a.", "a.txt", priority=1).document_id
        [job] = deployment.claims.claim("worker", 1, LEASE)
        deployment.claims.settle(job, GiveUp(), CORRUPT, reported=True)
        plain = submit(deployment, user, "Note b.", "b.txt").document_id
        operations.replay([urgent], TEST)
        claimed = deployment.claims.claim("worker", 9, LEASE)
        assert [job.document.document_id for job in claimed] == [urgent, plain]

    def test_unfinished_documents_are_cancelled_and_whoever_works_on_one_loses_it(
        self, operations: Operations, deployment: Deployment, user: UserId
    ) -> None:
        finished = ingest(deployment, user, policy_text())
        waiting, held, queued = fill(deployment, user, 3)
        jobs = deployment.claims.claim("worker", 2, LEASE)
        deployment.claims.settle(jobs[0], RetryAt(TOMORROW), BUSY, reported=True)
        reason = PermanentError("cancelled")
        assert set(operations.cancel([waiting, held, queued, finished], TEST, reason)) == {waiting, held, queued}
        for document_id in (waiting, held, queued):
            status = status_of(deployment, document_id)
            assert (status.state, status.error_code) == (State.DEADLETTER, "cancelled")
            assert deployment.documents.history(document_id)[-1].actor == TEST.name
        deployment.claims.settle(jobs[1], GiveUp(), CORRUPT, reported=False)
        assert status_of(deployment, held).error_code == "cancelled"
        assert deployment.claims.hold(held, "worker", LEASE) is None
        assert operations.cancel([waiting], TEST, reason) == []
        assert set(operations.replay([waiting, held, queued], TEST)) == {waiting, held, queued}

    def test_only_finished_documents_are_refreshed_and_stay_searchable(
        self, operations: Operations, deployment: Deployment, user: UserId
    ) -> None:
        finished = ingest(deployment, user, policy_text())
        [queued] = fill(deployment, user, 1)
        assert operations.refresh([finished, queued], TEST) == [finished]
        status = status_of(deployment, finished)
        assert (status.state, status.searchable) == (State.QUEUED, True)
        assert operations.refresh([finished], TEST) == []

    @pytest.mark.parametrize(
        ("changed", "first_step"),
        [
            ((), None),
            (("parser", "chunker", "model"), FirstStep.PARSE),
            (("chunker", "model"), FirstStep.CHUNK),
            (("model",), FirstStep.EMBED),
        ],
    )
    def test_what_other_tools_have_made_is_outdated_from_the_earliest_of_them_on(
        self,
        operations: Operations,
        deployment: Deployment,
        user: UserId,
        changed: tuple[str, ...],
        first_step: FirstStep | None,
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        fill(deployment, user, 1)
        outdated = operations.outdated(
            lambda kind: NEXT if "parser" in changed else deployment.parser.producer_of(kind),
            NEXT if "chunker" in changed else deployment.chunking.chunker,
            NEXT if "model" in changed else deployment.embedder.model,
        )
        found: list[tuple[DocumentId, FirstStep]] = [(each.document_id, each.first_step) for each in outdated]
        assert found == ([] if first_step is None else [(document_id, first_step)])


class FlowsContract:
    """A suite gives the fixture `flows`: that of its deployment's queue."""

    @pytest.fixture
    def flows(self, deployment: Deployment) -> Flows:
        raise NotImplementedError

    def test_an_empty_queue_is_idle(self, flows: Flows) -> None:
        flow = flows.flow()
        assert verdict_on(flow, []) is Verdict.IDLE
        assert flow == Flow(flow.at, 0, None, 0, None, 0, 0, 0, 0, None, None)

    def test_jobs_are_counted_where_they_stand(self, flows: Flows, deployment: Deployment, user: UserId) -> None:
        ingest(deployment, user, policy_text())
        fill(deployment, user, 5)
        retried, dead = deployment.claims.claim("worker 1", 2, LEASE)
        deployment.claims.settle(retried, RetryAt(TOMORROW), BUSY, reported=True)
        deployment.claims.settle(dead, GiveUp(), CORRUPT, reported=True)
        deployment.claims.claim("worker 2", 1, LEASE)
        deployment.claims.claim("worker 3", 1, -LEASE)
        flow = flows.flow()
        assert (flow.waiting, flow.retrying, flow.working, flow.workers, flow.abandoned) == (1, 1, 1, 1, 1)
        assert (flow.finished, flow.next_retry_at) == (1, TOMORROW)
        assert flow.waiting_since is not None
        assert flow.finished_at is not None
        assert flow.waiting_since <= flow.at

    def test_a_queue_at_which_nobody_looks_is_unattended(
        self, flows: Flows, deployment: Deployment, user: UserId
    ) -> None:
        fill(deployment, user, 1)
        assert verdict_on(flows.flow(), []) is Verdict.UNATTENDED
        deployment.instances.renew("a Dagster")
        deployment.instances.note_look()
        flow = flows.flow()
        assert flow.looked_at is not None
        assert verdict_on(flow, []) is Verdict.FLOWING


class PausesContract:
    """A suite gives the fixture `pauses`: those of its deployment."""

    @pytest.fixture
    def pauses(self, deployment: Deployment) -> Pauses:
        raise NotImplementedError

    def test_nothing_is_claimed_while_everything_is_paused(
        self, pauses: Pauses, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        fill(deployment, user, 1)
        fill(deployment, other_user, 1)
        assert pauses.pause(Paused())
        assert not pauses.pause(Paused())
        assert [each.paused for each in pauses.all()] == [Paused()]
        assert deployment.claims.claim("worker", 9, LEASE) == []
        assert deployment.backlog.waiting(9) == 0
        assert not deployment.backlog.unfinished()
        assert pauses.resume(Paused())
        assert not pauses.resume(Paused())
        assert len(deployment.claims.claim("worker", 9, LEASE)) == 2

    def test_a_paused_user_waits_and_the_others_do_not(
        self, pauses: Pauses, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        fill(deployment, user, 2)
        fill(deployment, other_user, 2)
        pauses.pause(Paused(user_id=user))
        claimed = deployment.claims.claim("worker", 9, LEASE)
        assert [job.document.user_id for job in claimed] == [other_user] * 2
        assert deployment.backlog.unfinished()
        deployment.operations.cancel([job.document.document_id for job in claimed], TEST, PermanentError("cancelled"))
        assert not deployment.backlog.unfinished()
        pauses.resume(Paused(user_id=user))
        assert len(deployment.claims.claim("worker", 9, LEASE)) == 2

    def test_pauses_are_ended_one_by_one(self, pauses: Pauses, user: UserId) -> None:
        wanted = [Paused(user_id=user), Paused(provider=OPENAI.name), Paused()]
        for each in wanted:
            assert pauses.pause(each)
        assert {each.paused for each in pauses.all()} == set(wanted)
        for each in wanted:
            assert pauses.resume(each)
        assert pauses.all() == []
