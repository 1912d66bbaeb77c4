"""What deletion must be able to rely on."""

from datetime import timedelta
from uuid import uuid4

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.pipeline.ports.deleting import Deletions
from ingest_assets_tests.contracts.claiming_contract import fill
from ingest_assets_tests.documents import TEST, claim_one, ingest, policy_text, submit, take_through

AGE = """UPDATE upload_pipeline.deleted_documents
SET deleted_at = deleted_at - %(by)s, erased_at = erased_at - %(by)s"""


def age(deployment: Deployment, by: timedelta) -> None:
    """Let deletions be so long ago."""
    with deployment.database.connection() as connection:
        connection.execute(AGE, {"by": by})


class DeletionsContract:
    """A suite gives the fixture `deletions`: those of its deployment."""

    @pytest.fixture
    def deletions(self, deployment: Deployment) -> Deletions:
        raise NotImplementedError

    def test_a_documents_owner_is_known_even_after_it_was_deleted(
        self, deletions: Deletions, deployment: Deployment, user: UserId
    ) -> None:
        [document_id] = fill(deployment, user, 1)
        assert deletions.owner(document_id) == user
        deletions.delete(document_id, TEST)
        assert deletions.owner(document_id) == user
        assert deletions.owner(DocumentId(uuid4())) is None

    def test_a_deleted_document_leaves_its_history_and_a_note(
        self, deletions: Deletions, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        assert {"documents", "upload_jobs", "document_sources", "document_chunks"} <= deletions.traces(
            document_id
        ).keys()
        history = deployment.documents.history(document_id)
        deletions.delete(document_id, TEST)
        assert deletions.traces(document_id) == {}
        assert deployment.documents.find(document_id) is None
        assert deployment.search.passages(user, "deductible", 3) == []
        later = deployment.documents.history(document_id)
        assert (later[:-1], later[-1].code, later[-1].actor) == (history, "deleted", TEST.name)
        assert deletions.to_finish(9) == [document_id]

    def test_traces_are_counted_by_table(self, deletions: Deletions, deployment: Deployment, user: UserId) -> None:
        submit(deployment, user, policy_text())
        job = claim_one(deployment)
        take_through(deployment, job, "parsed_markdown", "chunks")
        traces = deletions.traces(job.document.document_id)
        chunks = deployment.chunk_buffer.load(job.document.document_id)
        assert (traces["documents"], traces["document_chunk_buffer"]) == (1, len(chunks))
        assert "document_chunks" not in traces

    def test_deleting_again_does_no_harm(self, deletions: Deletions, deployment: Deployment, user: UserId) -> None:
        gone, other = fill(deployment, user, 2)
        deletions.delete(gone, TEST)
        history = deployment.documents.history(gone)
        deletions.delete(gone, TEST)
        assert deployment.documents.history(gone) == history
        assert deployment.documents.find(other) is not None
        assert deletions.to_finish(9) == [gone]

    def test_what_was_deleted_is_to_be_finished_until_it_is_confirmed_first_deleted_first(
        self, deletions: Deletions, deployment: Deployment, user: UserId
    ) -> None:
        ids = fill(deployment, user, 3)
        for document_id in reversed(ids):
            deletions.delete(document_id, TEST)
        assert deletions.to_finish(9) == ids[::-1]
        assert deletions.to_finish(2) == ids[:0:-1]
        deletions.confirm(ids[2])
        assert deletions.to_finish(9) == [ids[1], ids[0]]

    def test_a_day_later_a_confirmed_deletion_is_looked_at_once_more(
        self, deletions: Deletions, deployment: Deployment, user: UserId
    ) -> None:
        [document_id] = fill(deployment, user, 1)
        deletions.delete(document_id, TEST)
        deletions.confirm(document_id)
        assert deletions.to_finish(9) == []
        age(deployment, timedelta(hours=25))
        assert deletions.to_finish(9) == [document_id]
        deletions.confirm(document_id)
        assert deletions.to_finish(9) == []
