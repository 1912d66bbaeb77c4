"""What must be told of documents to whoever may see them."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.documents.listing import ListedDocument, Listing
from ingest_assets.domain.documents.naming import DocumentName, NamedDocument
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.retry_policy import GiveUp, RetryAt
from ingest_assets.domain.queue.stages import Stage, State
from ingest_assets.pipeline.ports.reading import Announcements, Documents
from ingest_assets_tests.contracts.claiming_contract import BUSY, CORRUPT, TOMORROW, fill
from ingest_assets_tests.documents import LEASE, TEST, claim_one, drain_all, ingest, policy_text, submit, take_through
from ingest_assets_tests.sample_files import scanned_pdf

NEWEST = 2**63 - 1


class DocumentsContract:
    """A suite gives the fixture `documents`: those of its deployment that the fixture `user` may see."""

    @pytest.fixture
    def documents(self, deployment: Deployment, user: UserId) -> Documents:
        raise NotImplementedError

    def test_a_document_is_found_at_its_newest_version(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text(), "Emergency plan.md")
        found = documents.find(document_id)
        assert found is not None
        assert (found.user_id, found.version, found.filename) == (user, 1, "Emergency plan.md")
        assert found.parse is not None
        submit(deployment, user, "Other text.", "Emergency plan.md")
        found = documents.find(document_id)
        assert found is not None
        assert (found.version, found.byte_size, found.parse) == (2, len("Other text."), None)

    def test_a_parse_is_the_documents_as_soon_as_it_is_stored(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        submit(deployment, user, policy_text())
        job = claim_one(deployment)
        take_through(deployment, job, "parsed_markdown")
        found = documents.find(job.document.document_id)
        assert found is not None
        assert found.parse is not None
        assert found.parse.parser == deployment.parser.producer_of(job.document.media_type)

    def test_all_places_are_told_from_which_a_document_came(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        document_id = submit(deployment, user, policy_text(), "a.md").document_id
        submit(deployment, user, policy_text(), "b.md")
        assert sorted(documents.sources(document_id)) == ["/documents/a.md", "/documents/b.md"]

    def test_a_document_is_meant_by_its_path_its_name_or_the_beginning_of_its_id(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        document_id = submit(deployment, user, policy_text("a"), "Policy 7.pdf.md").document_id
        submit(deployment, user, policy_text("b"), "other.md")

        def meant(text: str, source: str = "/nowhere") -> list[DocumentId]:
            return [each.document_id for each in documents.named(DocumentName(text, source), 10)]

        begun = str(document_id)
        assert meant("7.md", "/documents/Policy 7.pdf.md") == [document_id]
        for text in ("Policy 7.pdf.md", "policy 7.PDF.md", begun[:13], begun[:9], begun.replace("-", "")[:20], begun):
            assert meant(text) == [document_id]
        for text in ("Policy", "7.md", "%", "other_md", ""):
            assert meant(text) == []

    def test_of_documents_of_one_name_all_are_meant(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        names = ("Terms.md", "terms.md", "TERMS.md")
        ids = {name: submit(deployment, user, policy_text(name), name).document_id for name in names}
        exactly = documents.named(DocumentName("terms.md", "/nowhere"), 10)
        assert exactly == [NamedDocument(ids["terms.md"], "terms.md", "/documents/terms.md")]
        loosely = documents.named(DocumentName("tErms.md", "/nowhere"), 10)
        assert {each.document_id for each in loosely} == set(ids.values())
        assert documents.named(DocumentName("tErms.md", "/nowhere"), 2) == loosely[:2]

    def test_documents_are_listed_newest_first_a_page_at_a_time(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        names = ["a.md", "b.md", "c.md"]
        ids = {name: submit(deployment, user, policy_text(name), name).document_id for name in names}
        first = documents.listed(Listing(limit=2))
        second = documents.listed(Listing(limit=2, after=first[-1].document_id))
        assert [each.filename for each in first + second] == ["c.md", "b.md", "a.md"]
        assert first[0] == ListedDocument(
            ids["c.md"], "c.md", Stage.QUEUED, State.QUEUED, code=None, searchable=False, warnings={}
        )

    def test_a_list_behind_an_unknown_document_does_not_begin_anew(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        last = submit(deployment, user, policy_text(), "a.md").document_id
        assert documents.listed(Listing(after=last)) == []
        with pytest.raises(PermanentError, match="unknown_document"):
            documents.listed(Listing(after=DocumentId(uuid4())))

    def test_a_list_holds_only_what_was_asked_for(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        scan = ingest(deployment, user, scanned_pdf("The walrus is covered."), "Scan 7.pdf")
        ingest(deployment, user, policy_text(), "policy.md")
        empty = submit(deployment, user, scanned_pdf(), "picture.pdf").document_id
        drain_all(deployment)

        def found(listing: Listing) -> set[DocumentId]:
            return {each.document_id for each in documents.listed(listing)}

        assert found(Listing(with_warnings=True)) == {scan}
        assert found(Listing(name="scan")) == {scan}
        assert found(Listing(code="needs_ocr")) == {empty}
        assert found(Listing(state=State.DEADLETTER)) == {empty}
        assert found(Listing(since=datetime.now(UTC) + timedelta(days=1))) == set()
        assert len(found(Listing(since=datetime.now(UTC) - timedelta(days=1)))) == 3
        [listed] = documents.listed(Listing(with_warnings=True))
        assert (listed.searchable, listed.warnings) == (True, {WarningKind.PAGES_WITHOUT_TEXT: 1})

    def test_how_documents_end_is_announced_in_the_order_of_events(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        first, second, third = fill(deployment, user, 3)
        jobs = deployment.claims.claim("worker", 2, LEASE)
        deployment.claims.settle(jobs[0], GiveUp(), CORRUPT, reported=False)
        deployment.claims.settle(jobs[1], RetryAt(TOMORROW), BUSY, reported=False)
        drain_all(deployment)
        told = [each for each in documents.announced(0, NEWEST, 10) if each.document_id in (first, second, third)]
        assert [(each.document_id, each.version, each.state, each.code, each.searchable) for each in told] == [
            (first, 1, State.DEADLETTER, CORRUPT.code, False),
            (second, 1, State.RETRYABLE, BUSY.code, False),
            (third, 1, State.DONE, None, True),
        ]
        assert told[0].occurred_at == documents.history(first)[-1].occurred_at
        assert documents.announced(told[0].event_id, told[1].event_id, 10) == told[1:2]
        assert documents.announced(told[0].event_id, NEWEST, 1) == told[1:2]

    def test_of_a_deleted_document_nothing_is_announced(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        deployment.deletion.delete(document_id, TEST)
        assert document_id not in {each.document_id for each in documents.announced(0, NEWEST, 10)}

    def test_a_document_stands_where_its_job_does(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        status = documents.status(document_id)
        assert status is not None
        assert (status.document_id, status.stage, status.state) == (document_id, Stage.EMBEDDED, State.DONE)
        assert (status.version, status.live_version) == (1, 1)
        assert status.chunks == len(deployment.chunk_buffer.load(document_id))
        assert status.finished_at is not None

    def test_of_what_does_not_exist_nothing_is_told(self, documents: Documents) -> None:
        unknown = DocumentId(uuid4())
        assert (documents.find(unknown), documents.status(unknown)) == (None, None)
        assert (documents.sources(unknown), documents.history(unknown)) == ([], [])
        assert documents.states([unknown]) == {}

    def test_chosen_documents_are_counted_by_state(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        done = ingest(deployment, user, policy_text())
        first, second, _ = fill(deployment, user, 3)
        assert documents.states([done, first, second]) == {State.DONE: 1, State.QUEUED: 2}

    def test_what_happened_is_told_oldest_first_even_of_a_deleted_document(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        document_id = ingest(deployment, user, policy_text())
        history = documents.history(document_id)
        assert [event.occurred_at for event in history] == sorted(event.occurred_at for event in history)
        assert (history[0].stage, history[0].actor) == (Stage.QUEUED, TEST.name)
        assert (history[-1].stage, history[-1].state) == (Stage.EMBEDDED, State.DONE)
        deployment.deletion.delete(document_id, TEST)
        later = documents.history(document_id)
        assert (later[:-1], later[-1].code) == (history, "deleted")

    def test_documents_and_their_jobs_are_counted(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        ingest(deployment, user, policy_text())
        fill(deployment, user, 2)
        job = claim_one(deployment)
        deployment.claims.settle(job, GiveUp(), CORRUPT, reported=False)
        assert documents.counts() == {"documents": 3, "searchable": 1, "dead_letters": 1}
        assert documents.by_stage_and_state() == {"embedded/done": 1, "queued/deadletter": 1, "queued/queued": 1}

    def test_failures_are_told_newest_first(self, documents: Documents, deployment: Deployment, user: UserId) -> None:
        dead, waiting, _ = fill(deployment, user, 3)
        jobs = deployment.claims.claim("worker", 2, LEASE)
        deployment.claims.settle(jobs[0], GiveUp(), CORRUPT, reported=False)
        deployment.claims.settle(jobs[1], RetryAt(TOMORROW), BUSY, reported=False)
        failed = documents.failed()
        assert {(each.document_id, each.state, each.code) for each in failed} == {
            (dead, State.DEADLETTER, CORRUPT.code),
            (waiting, State.RETRYABLE, BUSY.code),
        }
        assert [each.filename for each in failed] == ["1.md", "0.md"]
        assert {(each.message, each.hint) for each in failed} == {(each.message, each.hint) for each in (CORRUPT, BUSY)}
        assert [each.document_id for each in documents.failed(CORRUPT.code)] == [dead]
        assert documents.failed(limit=1) == failed[:1]

    def test_failures_are_grouped_by_cause_the_most_frequent_first(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        fill(deployment, user, 4)
        jobs = deployment.claims.claim("worker", 3, LEASE)
        for job in jobs[:2]:
            deployment.claims.settle(job, GiveUp(), CORRUPT, reported=False)
        deployment.claims.settle(jobs[2], RetryAt(TOMORROW), BUSY, reported=False)
        corrupt, busy = documents.failed_causes()
        assert (corrupt.code, corrupt.count, corrupt.waiting, corrupt.dead_letters) == (CORRUPT.code, 2, 0, 2)
        assert (corrupt.message, corrupt.hint, corrupt.next_retry_at) == (CORRUPT.message, CORRUPT.hint, None)
        assert (busy.code, busy.count, busy.waiting, busy.next_retry_at) == (BUSY.code, 1, 1, TOMORROW)
        assert corrupt.stages == (Stage.QUEUED,)
        assert corrupt.since == documents.history(jobs[0].document.document_id)[-1].occurred_at

    def test_dead_letters_of_a_cause_name_their_sources_by_user(
        self, documents: Documents, deployment: Deployment, user: UserId
    ) -> None:
        fill(deployment, user, 3)
        jobs = deployment.claims.claim("worker", 2, LEASE)
        deployment.claims.settle(jobs[0], GiveUp(), CORRUPT, reported=False)
        deployment.claims.settle(jobs[1], RetryAt(TOMORROW), CORRUPT, reported=False)
        assert documents.failed_sources(CORRUPT.code) == {user: ["/documents/0.md"]}
        assert documents.failed_sources(BUSY.code) == {}


class AnnouncementsContract:
    """A suite gives the fixture `announcements`: the history of its deployment."""

    @pytest.fixture
    def announcements(self, deployment: Deployment) -> Announcements:
        raise NotImplementedError

    def test_the_horizon_moves_with_the_history(
        self, announcements: Announcements, deployment: Deployment, user: UserId
    ) -> None:
        before = announcements.horizon()
        document_id = ingest(deployment, user, policy_text())
        after = announcements.horizon()
        assert before == 0
        assert after is not None
        [told] = deployment.documents.announced(0, after, 10)
        assert (told.document_id, told.event_id) == (document_id, after)

    def test_users_are_named_whose_documents_ended_in_between(
        self, announcements: Announcements, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        ingest(deployment, user, policy_text())
        middle = announcements.horizon() or 0
        ingest(deployment, other_user, policy_text("Other"))
        submit(deployment, user, policy_text("Waiting"), "waiting.md")
        newest = announcements.horizon() or 0
        both = [user, other_user]
        assert announcements.users_between(both, 0, newest) == set(both)
        assert announcements.users_between(both, 0, middle) == {user}
        assert announcements.users_between(both, middle, newest) == {other_user}
        assert announcements.users_between([user], middle, newest) == set()
