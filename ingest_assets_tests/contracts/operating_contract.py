"""What the queue must do for people who put documents back into it."""

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, Producer, UserId
from ingest_assets.domain.documents.outdated import FirstStep
from ingest_assets.domain.queue.retry_policy import GiveUp, RetryAt
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.ports.operating import Operations
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
