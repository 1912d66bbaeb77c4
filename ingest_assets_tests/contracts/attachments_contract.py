"""What must be kept of the files within documents."""

from dataclasses import replace

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.attachments import Room, SkippedAttachment
from ingest_assets.domain.documents.document import Acceptance, Parent, UserId
from ingest_assets.domain.queue.jobs import Job
from ingest_assets.pipeline.intake import IncomingFile
from ingest_assets.pipeline.ports.attachments import AttachmentRecords
from ingest_assets_tests.documents import TEST, claim_one, ingest, submit


def attach(deployment: Deployment, job: Job, path: str, text: str, depth: int = 1) -> Acceptance:
    parent = Parent(job.document.document_id, job.fence, depth)
    source = parent.source_of(path)
    return deployment.intake.receive(
        IncomingFile(text.encode(), path, source, job.document.user_id, parent=parent), TEST
    )


class AttachmentRecordsContract:
    """A suite gives the fixture `attachment_records`: those of its deployment."""

    @pytest.fixture
    def attachment_records(self, deployment: Deployment) -> AttachmentRecords:
        raise NotImplementedError

    @pytest.fixture
    def job(self, deployment: Deployment, user: UserId) -> Job:
        submit(deployment, user, "See the attachments.", "mail.md")
        return claim_one(deployment)

    def test_what_was_submitted_lies_nowhere_below(self, attachment_records: AttachmentRecords, job: Job) -> None:
        assert attachment_records.depth(job.document.document_id) == 0

    def test_the_shortest_way_counts(
        self, attachment_records: AttachmentRecords, deployment: Deployment, job: Job, user: UserId
    ) -> None:
        document_id = attach(deployment, job, "a.md", "The walrus.", depth=3).document_id
        assert attachment_records.depth(document_id) == 3
        attach(deployment, job, "again.md", "The walrus.", depth=2)
        assert attachment_records.depth(document_id) == 2
        submit(deployment, user, "The walrus.", "alone.md")
        assert attachment_records.depth(document_id) == 0

    def test_what_others_below_the_submitted_document_leave_is_room(
        self, attachment_records: AttachmentRecords, deployment: Deployment, job: Job
    ) -> None:
        limit = Room(10, 100)
        outer = job.document.document_id
        assert attachment_records.room(outer, limit) == limit
        inner = attach(deployment, job, "inner.md", "x" * 30).document_id
        attach(deployment, job, "a.md", "y" * 20)
        below = claim_one(deployment, "another")
        assert below.document.document_id == inner
        attach(deployment, below, "b.md", "z" * 10, depth=2)
        assert attachment_records.room(outer, limit) == Room(9, 90)
        assert attachment_records.room(inner, limit) == Room(8, 50)
        assert attachment_records.room(inner, Room(1, 5)) == Room(1, 10)
        assert attachment_records.room(outer, Room(0, 0)) == Room(2, 50)

    def test_what_a_document_no_longer_has_is_forgotten(
        self, attachment_records: AttachmentRecords, deployment: Deployment, job: Job, user: UserId
    ) -> None:
        parent = Parent(job.document.document_id, job.fence, 1)
        attach(deployment, job, "kept.md", "The walrus.")
        attach(deployment, job, "gone.md", "The ferret.")
        attach(deployment, job, "elsewhere.md", "The otter.")
        submit(deployment, user, "The otter.", "alone.md")
        attachment_records.settle(job, [], [SkippedAttachment("noise.bin", "unsupported")], TEST)
        attach(deployment, job, "kept.md", "The walrus.")
        gone = attach(deployment, job, "gone.md", "The ferret.").document_id
        orphans = attachment_records.settle(job, [parent.source_of("kept.md")], [], TEST)
        assert orphans == [gone]
        assert deployment.documents.find(gone) is None
        assert [each.path for each in deployment.documents.attachments(job.document.document_id)] == ["kept.md"]

    def test_what_was_skipped_is_kept_with_the_last_reason(
        self, attachment_records: AttachmentRecords, deployment: Deployment, job: Job
    ) -> None:
        for code in ("unsupported", "too_large"):
            attachment_records.settle(job, [], [SkippedAttachment("a", code), SkippedAttachment("b", "corrupt")], TEST)
        found = deployment.documents.attachments(job.document.document_id)
        assert [(each.path, each.document_id, each.code) for each in found] == [
            ("a", None, "too_large"),
            ("b", None, "corrupt"),
        ]

    def test_a_lost_claim_settles_nothing(
        self, attachment_records: AttachmentRecords, deployment: Deployment, job: Job
    ) -> None:
        attach(deployment, job, "a.md", "The walrus.")
        assert (
            attachment_records.settle(replace(job, fence=job.fence - 1), [], [SkippedAttachment("b", "bomb")], TEST)
            == []
        )
        assert [each.path for each in deployment.documents.attachments(job.document.document_id)] == ["a.md"]

    def test_the_parse_of_an_earlier_content_is_forgotten_by_whoever_works_on_the_present_one(
        self, attachment_records: AttachmentRecords, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, "One.", "mail.md")
        submit(deployment, user, "Two.", "mail.md")
        job = claim_one(deployment)
        submit(deployment, user, "One.", "mail.md")
        attachment_records.forget_other_parse(job)
        found = deployment.documents.find(document_id)
        assert found is not None
        assert found.parse is not None
        attachment_records.forget_other_parse(claim_one(deployment))
        assert deployment.documents.find(document_id) == found
        submit(deployment, user, "Two.", "mail.md")
        attachment_records.forget_other_parse(claim_one(deployment))
        submit(deployment, user, "One.", "mail.md")
        forgotten = deployment.documents.find(document_id)
        assert forgotten is not None
        assert forgotten.parse is None
