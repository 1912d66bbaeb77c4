"""What the check of everything that must hold relies on."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.queue.retry_policy import GiveUp
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.ports.checking import Inspection, StoredDocuments, ToldOutcomes
from ingest_assets_tests.contracts.claiming_contract import CORRUPT, fill
from ingest_assets_tests.contracts.reporting_contract import ids_in, report
from ingest_assets_tests.documents import LEASE, TEST, claim_one, drain_all, ingest, policy_text, submit

NOW = timedelta(0)


class InspectionContract:
    """A suite gives the fixture `inspection`, which looks into its deployment."""

    @pytest.fixture
    def inspection(self, deployment: Deployment) -> Inspection:
        raise NotImplementedError

    def test_nothing_is_wrong_with_an_empty_deployment(self, inspection: Inspection) -> None:
        assert list(inspection.inspect()) == []

    def test_nothing_is_wrong_with_documents_in_any_state(
        self, inspection: Inspection, deployment: Deployment, user: UserId
    ) -> None:
        gone = ingest(deployment, user, policy_text("Gone"), "gone.md")
        ingest(deployment, user, policy_text("Done"), "done.md")
        deployment.deletion.delete(gone, TEST)
        submit(deployment, user, policy_text("Dead"), "dead.md")
        deployment.claims.settle(claim_one(deployment), GiveUp(), CORRUPT, reported=False)
        submit(deployment, user, policy_text("Held"), "held.md")
        claim_one(deployment, "another worker")
        submit(deployment, user, policy_text("Waiting"), "waiting.md")
        assert list(inspection.inspect()) == []


class StoredDocumentsContract:
    """A suite gives the fixture `stored`: the documents of its deployment."""

    @pytest.fixture
    def stored(self, deployment: Deployment) -> StoredDocuments:
        raise NotImplementedError

    def test_every_document_is_on_one_page(self, stored: StoredDocuments, deployment: Deployment, user: UserId) -> None:
        ids = sorted(fill(deployment, user, 5))
        assert pages(stored, 2) == [ids[:2], ids[2:4], ids[4:]]

    def test_a_document_comes_with_its_parse(
        self, stored: StoredDocuments, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        assert stored.page(None, 1) == [deployment.documents.find(document_id)]
        assert stored.page(None, 1)[0].parse is not None


class ToldOutcomesContract:
    """A suite gives the fixture `told`: the outcomes of its deployment."""

    @pytest.fixture
    def told(self, deployment: Deployment) -> ToldOutcomes:
        raise NotImplementedError

    def test_what_dagster_was_told_is_told_page_by_page(
        self, told: ToldOutcomes, deployment: Deployment, user: UserId
    ) -> None:
        ids = sorted(fill(deployment, user, 3))
        drain_all(deployment)
        assert told.told(State.DONE, NOW, None, 9) == []
        report(deployment)
        assert told.told(State.DONE, NOW, None, 2) == ids[:2]
        assert told.told(State.DONE, NOW, ids[1], 2) == ids[2:]
        assert told.told(State.DEADLETTER, NOW, None, 9) == []

    def test_what_dagster_was_told_just_now_does_not_count_yet(
        self, told: ToldOutcomes, deployment: Deployment, user: UserId
    ) -> None:
        [document_id] = fill(deployment, user, 1)
        deployment.claims.settle(claim_one(deployment), GiveUp(), CORRUPT, reported=True)
        assert told.told(State.DEADLETTER, LEASE, None, 9) == []
        assert told.told(State.DEADLETTER, NOW, None, 9) == [document_id]

    def test_unlisted_documents_are_not_told(self, told: ToldOutcomes, deployment: Deployment, user: UserId) -> None:
        ingest(deployment, user, policy_text())
        report(deployment)
        ids_in(deployment.partitions.oldest(9))
        assert told.told(State.DONE, NOW, None, 9) == []

    def test_a_deleted_document_is_unknown_once_it_is_unlisted(
        self, told: ToldOutcomes, deployment: Deployment, user: UserId
    ) -> None:
        gone, there = fill(deployment, user, 2)
        never = DocumentId(uuid4())
        deployment.deletion.delete(gone, TEST)
        assert told.unknown([gone, there, never]) == {never}
        ids_in(deployment.partitions.deleted(9))
        assert told.unknown([gone, there, never]) == {gone, never}


def pages(stored: StoredDocuments, size: int) -> list[Sequence[DocumentId]]:
    found: list[Sequence[DocumentId]] = []
    after = None
    while page := [document.document_id for document in stored.page(after, size)]:
        found.append(page)
        after = page[-1]
    return found
