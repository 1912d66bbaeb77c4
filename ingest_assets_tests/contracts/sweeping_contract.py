"""What the sweep must be able to rely on."""

from threading import Event, Thread
from uuid import uuid4

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.pipeline.ports.sweeping import ObjectRecords
from ingest_assets.pipeline.stored_objects import arrived_content_key, content_key, parse_key
from ingest_assets_tests.documents import LEASE, claim_one, ingest, policy_text, submit, take_through

MOMENT = 0.3


class ObjectRecordsContract:
    """A suite gives the fixture `records`: those of its deployment."""

    @pytest.fixture
    def records(self, deployment: Deployment) -> ObjectRecords:
        raise NotImplementedError

    def test_every_row_is_told_once_in_the_order_of_keys(
        self, records: ObjectRecords, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        made = {
            (owner, submit(deployment, owner, policy_text(f"Subject {number}", 1), f"{number}.md").document_id)
            for owner in (user, other_user)
            for number in range(3)
        }
        assert [(each.user_id, each.document_id) for each in records.by_owner()] == sorted(made)

    def test_a_row_names_its_content_and_the_text_that_was_found_in_it(
        self, records: ObjectRecords, deployment: Deployment, user: UserId
    ) -> None:
        document_id = submit(deployment, user, policy_text()).document_id
        received = deployment.documents.find(document_id)
        assert received is not None
        told = records.of_documents([document_id, DocumentId(uuid4())])
        assert told.keys() == {document_id}
        assert told[document_id].named == told[document_id].required == {content_key(received)}
        take_through(deployment, claim_one(deployment), "parsed_markdown")
        parsed = deployment.documents.find(document_id)
        assert parsed is not None
        assert parsed.parse is not None
        both = {content_key(parsed), parse_key(parsed, parsed.parse.parsed_sha)}
        assert records.of_documents([document_id])[document_id].named == both
        assert records.of_documents([document_id])[document_id].required == both

    def test_the_text_of_an_earlier_version_is_named_but_not_needed(
        self, records: ObjectRecords, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        before = records.of_documents([document_id])[document_id]
        assert not before.is_superseded
        submit(deployment, user, policy_text("Dental"))
        after = records.of_documents([document_id])[document_id]
        document = deployment.documents.find(document_id)
        assert document is not None
        assert after.required == {arrived_content_key(user, document_id, document.content_sha)}
        assert after.named - after.required == {key for key in before.named if key.endswith(".md")}
        assert (after.is_superseded, after.changed_at > before.changed_at) == (True, True)

    def test_a_document_in_work_is_not_held_and_one_that_does_not_exist_is(
        self, records: ObjectRecords, deployment: Deployment, user: UserId
    ) -> None:
        idle = ingest(deployment, user, policy_text("A", 2), "a.md")
        submit(deployment, user, policy_text("B", 2), "b.md")
        busy, nobodys = claim_one(deployment).document.document_id, DocumentId(uuid4())
        with records.held(user, [idle, busy, nobodys]) as held:
            assert held.keys() == {idle, nobodys}
            assert held[nobodys] is None
            assert held[idle] == records.of_documents([idle])[idle]

    def test_no_worker_takes_up_a_document_that_is_held(
        self, records: ObjectRecords, deployment: Deployment, user: UserId
    ) -> None:
        document_id = submit(deployment, user, policy_text()).document_id
        with records.held(user, [document_id]):
            assert deployment.claims.claim("worker", 9, LEASE) == []
        assert len(deployment.claims.claim("worker", 9, LEASE)) == 1

    def test_the_users_intake_waits_until_the_documents_are_let_go(
        self, records: ObjectRecords, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        done = Event()

        def take_in() -> None:
            submit(deployment, user, policy_text())
            done.set()

        with records.held(user, [DocumentId(uuid4())]):
            waiting = Thread(target=take_in)
            waiting.start()
            submit(deployment, other_user, policy_text())
            assert not done.wait(MOMENT)
        waiting.join()
        assert done.is_set()
