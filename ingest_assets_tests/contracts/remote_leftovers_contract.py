"""What must be known of jobs that providers keep: bills that are due, and leftovers."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Document, Producer, UserId
from ingest_assets.domain.errors import TransientError
from ingest_assets.domain.spending.providers import ProviderName
from ingest_assets.domain.spending.remote_jobs import Bill, Unanswered
from ingest_assets.pipeline.ports.providers import RemoteJobs, RemoteKeeper, RemoteLeftovers
from ingest_assets_tests.documents import TEST, policy_text, submit

PROVIDER = ProviderName("a-provider")
NAMES = (PROVIDER,)
AGE = """
WITH bills AS (
    UPDATE upload_pipeline.parse_jobs SET created_at = created_at - %(by)s, bill_due_at = bill_due_at - %(by)s
)
UPDATE upload_pipeline.remote_leftovers
SET left_at = left_at - %(by)s, due_at = due_at - %(by)s
"""


def pass_time(deployment: Deployment, by: timedelta) -> None:
    """Let everything about remote jobs be so much longer ago."""
    with deployment.database.connection() as connection:
        connection.execute(AGE, {"by": by})


class RemoteLeftoversContract:
    """A suite gives the fixtures: the leftovers of its deployment, and its jobs."""

    @pytest.fixture
    def leftovers(self, deployment: Deployment) -> RemoteLeftovers:
        raise NotImplementedError

    @pytest.fixture
    def remote_jobs(self, deployment: Deployment) -> RemoteJobs:
        raise NotImplementedError

    @pytest.fixture
    def producer(self) -> Producer:
        return Producer(PROVIDER, "agentic+1")

    @pytest.fixture
    def document(self, deployment: Deployment, user: UserId) -> Document:
        found = deployment.documents.find(submit(deployment, user, policy_text()).document_id)
        assert found is not None
        return found

    @pytest.fixture
    def request_id(self, remote_jobs: RemoteJobs, document: Document, producer: Producer) -> UUID:
        """Of a job that the provider has accepted, and whose bill is awaited."""
        asked = uuid4()
        remote_jobs.prepare(document, producer, 7, asked)
        remote_jobs.remember(document, producer, "job-1", 7)
        remote_jobs.await_bill(document, producer, "job-1")
        return asked

    @pytest.mark.usefixtures("request_id")
    def test_a_bill_is_due_in_a_minute_and_then_the_later_the_older_the_job_is(
        self, deployment: Deployment, leftovers: RemoteLeftovers
    ) -> None:
        assert not leftovers.are_due(NAMES)
        pass_time(deployment, timedelta(minutes=3))
        assert leftovers.are_due(NAMES)
        assert not leftovers.are_due([ProviderName("another")])
        assert leftovers.bills([ProviderName("another")], 10) == []
        assert leftovers.bills(NAMES, 10) == [Bill(PROVIDER, "job-1", 7)]
        assert leftovers.bills(NAMES, 10) == []
        pass_time(deployment, timedelta(minutes=2))
        assert not leftovers.are_due(NAMES)
        pass_time(deployment, timedelta(days=8))
        assert len(leftovers.bills(NAMES, 10)) == 1
        pass_time(deployment, timedelta(days=80))
        assert not leftovers.are_due(NAMES)

    def test_an_upload_that_was_not_answered_is_asked_about_after_an_hour_until_that_is_settled(
        self,
        deployment: Deployment,
        leftovers: RemoteLeftovers,
        remote_jobs: RemoteJobs,
        document: Document,
        producer: Producer,
    ) -> None:
        asked = uuid4()
        remote_jobs.prepare(document, producer, 7, asked)
        pass_time(deployment, timedelta(minutes=59))
        assert not leftovers.are_due(NAMES)
        pass_time(deployment, timedelta(minutes=2))
        assert leftovers.are_due(NAMES)
        assert leftovers.bills(NAMES, 10) == []
        [unheard] = leftovers.unheard(NAMES, 10)
        assert (unheard.provider, unheard.request_id, unheard.call_id) == (PROVIDER, asked, 7)
        assert leftovers.unheard(NAMES, 10) == []
        pass_time(deployment, timedelta(hours=2))
        assert len(leftovers.unheard(NAMES, 10)) == 1
        leftovers.settled(asked)
        pass_time(deployment, timedelta(hours=5))
        assert not leftovers.are_due(NAMES)
        assert remote_jobs.unanswered(document, producer) is not None

    def test_an_upload_that_is_answered_late_after_all_is_left_over_as_any_other(
        self,
        deployment: Deployment,
        leftovers: RemoteLeftovers,
        remote_jobs: RemoteJobs,
        document: Document,
        producer: Producer,
    ) -> None:
        asked = uuid4()
        remote_jobs.prepare(document, producer, 7, asked)
        remote_jobs.withdraw(asked)
        pass_time(deployment, timedelta(hours=2))
        assert not leftovers.are_due(NAMES)
        remote_jobs.remember(document, producer, "job-1", 7)
        deployment.deletion.delete(document.document_id, TEST)
        assert [each.remote_id for each in leftovers.to_remove(NAMES, 10)] == ["job-1"]

    @pytest.mark.usefixtures("request_id")
    def test_a_bill_that_is_there_is_not_asked_for_again(
        self, deployment: Deployment, leftovers: RemoteLeftovers
    ) -> None:
        leftovers.billed("job-1")
        pass_time(deployment, timedelta(hours=1))
        assert not leftovers.are_due(NAMES)

    def test_a_job_is_left_over_when_its_document_is_deleted(
        self, deployment: Deployment, leftovers: RemoteLeftovers, document: Document, request_id: UUID
    ) -> None:
        deployment.deletion.delete(document.document_id, TEST)
        assert leftovers.are_due(NAMES)
        assert leftovers.to_remove([ProviderName("another")], 10) == []
        assert leftovers.to_look_for(NAMES, 10) == []
        [leftover] = leftovers.to_remove(NAMES, 10)
        assert (leftover.request_id, leftover.remote_id, leftover.call_id) == (request_id, "job-1", 7)
        assert not leftover.is_old
        assert leftovers.to_remove(NAMES, 10) == []
        pass_time(deployment, timedelta(hours=7))
        [leftover] = leftovers.to_remove(NAMES, 10)
        assert leftover.is_old
        leftovers.removed(request_id)
        pass_time(deployment, timedelta(days=1))
        assert not leftovers.are_due(NAMES)

    def test_a_request_without_an_answer_that_is_left_over_has_to_be_looked_for(
        self,
        deployment: Deployment,
        leftovers: RemoteLeftovers,
        remote_jobs: RemoteJobs,
        document: Document,
        producer: Producer,
    ) -> None:
        asked = uuid4()
        remote_jobs.prepare(document, producer, 7, asked)
        deployment.deletion.delete(document.document_id, TEST)
        assert leftovers.are_due(NAMES)
        assert leftovers.to_remove(NAMES, 10) == []
        assert leftovers.to_look_for([ProviderName("another")], 10) == []
        [leftover] = leftovers.to_look_for(NAMES, 10)
        assert (leftover.request_id, leftover.remote_id, leftover.call_id) == (asked, None, 7)
        assert leftovers.to_look_for(NAMES, 10) == []

    def test_a_job_is_left_over_when_it_is_forgotten_or_another_takes_its_place(
        self,
        leftovers: RemoteLeftovers,
        remote_jobs: RemoteJobs,
        document: Document,
        producer: Producer,
        request_id: UUID,
    ) -> None:
        second = uuid4()
        remote_jobs.prepare(document, producer, 8, second)
        remote_jobs.remember(document, producer, "job-2", 8)
        remote_jobs.forget(document, producer, "job-2")
        assert {each.request_id for each in leftovers.to_remove(NAMES, 10)} == {request_id, second}

    def test_what_was_never_created_and_what_was_given_no_request_id_leaves_nothing(
        self, leftovers: RemoteLeftovers, remote_jobs: RemoteJobs, document: Document, producer: Producer
    ) -> None:
        withdrawn = uuid4()
        remote_jobs.prepare(document, producer, 1, withdrawn)
        remote_jobs.withdraw(withdrawn)
        remote_jobs.prepare(document, producer, 2)
        remote_jobs.prepare(document, producer, 3)
        assert not leftovers.are_due(NAMES)

    def test_a_second_job_of_a_request_is_left_over_once_and_the_first_stays(
        self, leftovers: RemoteLeftovers, remote_jobs: RemoteJobs, producer: Producer, request_id: UUID
    ) -> None:
        for _ in range(2):
            remote_jobs.leave(Unanswered(request_id, datetime.now(UTC), 9), producer, "job-2")
        [leftover] = leftovers.to_remove(NAMES, 10)
        assert (leftover.remote_id, leftover.call_id) == ("job-2", 9)
        leftovers.removed(leftover.request_id)
        assert not leftovers.are_due(NAMES)


class RemoteKeeperContract:
    """A suite gives the fixtures: a keeper, and a job that its provider has finished."""

    @pytest.fixture
    def keeper(self) -> RemoteKeeper:
        raise NotImplementedError

    @pytest.fixture
    def finished(self) -> tuple[UUID, str]:
        """Return the id of the request for the job, and the job's."""
        raise NotImplementedError

    def test_it_tells_what_a_job_costs(self, keeper: RemoteKeeper, finished: tuple[UUID, str]) -> None:
        usage = keeper.bill(finished[1])
        assert usage is not None
        assert usage.credits > 0
        assert usage.micro_usd > 0

    def test_it_finds_the_job_of_a_request_and_no_other(self, keeper: RemoteKeeper, finished: tuple[UUID, str]) -> None:
        request_id, remote_id = finished
        other, now = uuid4(), datetime.now(UTC)
        assert keeper.find({request_id: now, other: now}) == {request_id: [remote_id], other: []}

    def test_what_it_has_removed_is_gone_and_removing_it_again_does_no_harm(
        self, keeper: RemoteKeeper, finished: tuple[UUID, str]
    ) -> None:
        request_id, remote_id = finished
        for _ in range(2):
            keeper.remove(remote_id)
        assert keeper.find({request_id: datetime.now(UTC)}) == {request_id: []}
        with pytest.raises(TransientError, match="service_job_gone"):
            keeper.bill(remote_id)
