"""What dashboards and predictions must be able to rely on."""

from datetime import UTC, datetime, timedelta

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.predictions import Work
from ingest_assets.domain.queue.retry_policy import GiveUp, RetryAt
from ingest_assets.pipeline.ports.recording import Records
from ingest_assets_tests.contracts.claiming_contract import BUSY, CORRUPT, TOMORROW, fill
from ingest_assets_tests.documents import LEASE, TEST, ingest, policy_text, submit

MINUTE = timedelta(minutes=1)


class RecordsContract:
    """A suite gives the fixture `records`: those of its deployment."""

    @pytest.fixture
    def records(self, deployment: Deployment) -> Records:
        raise NotImplementedError

    def test_nothing_has_become_of_no_documents(self, records: Records) -> None:
        found = (records.hours(MINUTE), records.days(MINUTE), records.growth(), records.past_work(9))
        assert [list(each) for each in found] == [[], [], [], []]
        assert list(records.unfinished_work()) == []

    def test_documents_are_counted_by_the_day_and_by_what_became_of_them(
        self, records: Records, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        ingest(deployment, user, policy_text())
        ingest(deployment, other_user, policy_text())
        fill(deployment, user, 3)
        [dead] = deployment.claims.claim("worker", 1, LEASE)
        deployment.claims.settle(dead, GiveUp(), CORRUPT, reported=True)
        [today] = records.days(timedelta(hours=1))
        assert today.day == datetime.now(UTC).date()
        assert (today.queued, today.users, today.searchable, today.dead_letters) == (5, 2, 2, 1)
        assert (today.in_time, today.due) == (2, 3)
        [late] = records.days(timedelta(0))
        assert (late.in_time, late.due) == (0, 5)
        [new] = records.growth()
        assert (new.day, new.users, new.documents) == (today.day, 2, 5)
        [hour] = records.hours(timedelta(hours=1))
        assert hour.searchable == 2
        assert hour.hour == datetime.now(UTC).replace(minute=0, second=0, microsecond=0)

    def test_past_work_is_as_long_as_the_last_attempt(
        self, records: Records, deployment: Deployment, user: UserId
    ) -> None:
        first, second = (ingest(deployment, user, policy_text(name), name) for name in ("Alpha", "Beta"))
        one, other = records.past_work(9)
        assert one.ended_at < other.began_at
        assert one.byte_size == len(policy_text("Alpha").encode())
        for document_id, work in ((first, one), (second, other)):
            history = deployment.documents.history(document_id)
            assert work.ended_at >= history[-1].occurred_at
            assert work.began_at == history[2].occurred_at
        deployment.operations.refresh([first], TEST)
        [left] = records.past_work(9)
        assert left == other
        assert list(records.past_work(0)) == []

    def test_what_is_unfinished_is_added_up_by_type(
        self, records: Records, deployment: Deployment, user: UserId
    ) -> None:
        ingest(deployment, user, policy_text("Done"))
        texts = [policy_text("Alpha"), policy_text("Beta", 30)]
        for text in texts:
            submit(deployment, user, text, f"{len(text)}.md")
        submit(deployment, user, "Note.", "note.txt")
        for job in deployment.claims.claim("worker", 2, LEASE)[:1]:
            deployment.claims.settle(job, RetryAt(TOMORROW), BUSY, reported=True)
        markdown = Work("text/markdown", 2, sum(len(text.encode()) for text in texts))
        assert list(records.unfinished_work()) == [markdown, Work("text/plain", 1, 5)]
