"""What Llama Cloud keeps, and what is still to be done about it, in Postgres."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from ingest_assets.adapters.postgres.spending.remote_jobs import PostgresRemoteJobs
from ingest_assets.adapters.postgres.spending.remote_leftovers import PostgresRemoteLeftovers
from ingest_assets.adapters.providers.llamacloud import keeper as keeper_module
from ingest_assets.adapters.providers.llamacloud.client import LlamaCloudClient
from ingest_assets.adapters.providers.llamacloud.keeper import LlamaCloudKeeper
from ingest_assets.adapters.providers.remote_parsing.client import Upload
from ingest_assets.composition import Deployment
from ingest_assets.domain.errors import ResourceError, TransientError
from ingest_assets.pipeline.ports.providers import RemoteJobs, RemoteKeeper, RemoteLeftovers
from ingest_assets_tests.adapters.providers.test_remote_parsers import CONTENT, QUICK_CLOUD
from ingest_assets_tests.contracts.remote_leftovers_contract import RemoteKeeperContract, RemoteLeftoversContract
from ingest_assets_tests.emulators.llamacloud import LlamaCloudEmulator
from ingest_assets_tests.emulators.llamaparse import KEY, Fault

PATIENT_CLOUD = replace(QUICK_CLOUD, request_seconds=20)


def put_before(service: LlamaCloudEmulator, remote_id: str, number: int) -> None:
    """Put that many other jobs before a job, which the provider lists by their age."""
    job = service.jobs.pop(remote_id)
    for _ in range(number):
        other = replace(job, job_id=str(uuid4()), asked={})
        service.jobs[other.job_id] = other
    service.jobs[remote_id] = job


class TestPostgresRemoteLeftovers(RemoteLeftoversContract):
    @pytest.fixture
    def leftovers(self, deployment: Deployment) -> RemoteLeftovers:
        return PostgresRemoteLeftovers(deployment.database)

    @pytest.fixture
    def remote_jobs(self, deployment: Deployment) -> RemoteJobs:
        return PostgresRemoteJobs(deployment.database)


@pytest.fixture
def service() -> Iterator[LlamaCloudEmulator]:
    with LlamaCloudEmulator(pending_polls=10**9) as emulator:
        yield emulator


@pytest.fixture
def keeper(service: LlamaCloudEmulator) -> RemoteKeeper:
    return LlamaCloudKeeper(lambda: KEY, service.url, QUICK_CLOUD)


@pytest.fixture
def running(service: LlamaCloudEmulator) -> tuple[UUID, str]:
    made = LlamaCloudClient(lambda: KEY, service.url, QUICK_CLOUD, lambda _: False)
    request_id = uuid4()
    return request_id, made.upload(Upload(CONTENT, "document.pdf", "a secret", request_id), 20)


class TestLlamaCloudKeeper(RemoteKeeperContract):
    @pytest.fixture
    def keeper(self, keeper: RemoteKeeper) -> RemoteKeeper:
        return keeper

    @pytest.fixture
    def finished(self, service: LlamaCloudEmulator, running: tuple[UUID, str]) -> tuple[UUID, str]:
        service.finish(running[1])
        return running


def test_a_job_that_is_not_done_yet_is_cancelled_and_removed(
    service: LlamaCloudEmulator, keeper: RemoteKeeper, running: tuple[UUID, str]
) -> None:
    keeper.remove(running[1])
    assert service.jobs == {}
    assert (service.counts["cancels"], service.counts["deletions"]) == (1, 1)


def test_a_bill_that_is_not_made_yet_is_none(
    service: LlamaCloudEmulator, keeper: RemoteKeeper, running: tuple[UUID, str]
) -> None:
    service.unbilled_looks = 1
    service.finish(running[1])
    assert keeper.bill(running[1]) is None
    assert keeper.bill(running[1]) is not None


@pytest.mark.parametrize("operation", ["polls", "cancels", "deletions"])
def test_what_passes_by_itself_keeps_nothing_there_and_is_left_to_the_next_turn(
    service: LlamaCloudEmulator, keeper: RemoteKeeper, running: tuple[UUID, str], operation: str
) -> None:
    faults = (Fault.SERVER_ERROR, Fault.BUSY, Fault.STALL)
    service.script(operation, *faults)
    for tries, code in enumerate(["service_unavailable", "service_busy", "service_slow"], start=1):
        with pytest.raises(TransientError, match=code):
            keeper.remove(running[1])
        assert service.counts[operation] == tries
    keeper.remove(running[1])
    assert service.jobs == {}


def test_where_no_jobs_can_be_listed_none_is_believed_to_be_gone(
    service: LlamaCloudEmulator, running: tuple[UUID, str]
) -> None:
    elsewhere = LlamaCloudKeeper(lambda: KEY, f"{service.url}/elsewhere", QUICK_CLOUD)
    for ask in (elsewhere.remove, elsewhere.bill):
        with pytest.raises(ResourceError, match="service_unknown_address"):
            ask(running[1])


def test_a_list_whose_page_leads_to_itself_does_not_tell_that_there_is_no_job(
    keeper: RemoteKeeper, service: LlamaCloudEmulator, running: tuple[UUID, str]
) -> None:
    service.page_size = 0
    with pytest.raises(TransientError, match="service_garbled"):
        keeper.find({running[0]: datetime.now(UTC)})
    assert service.counts["listings"] == 2


def test_a_list_of_very_many_pages_is_read_to_its_end(service: LlamaCloudEmulator, running: tuple[UUID, str]) -> None:
    keeper = LlamaCloudKeeper(lambda: KEY, service.url, PATIENT_CLOUD)
    service.page_size = 1
    put_before(service, running[1], 120)
    assert keeper.find({running[0]: datetime.now(UTC)}) == {running[0]: [running[1]]}
    assert service.counts["listings"] == 121


def test_one_list_answers_for_all_requests(keeper: RemoteKeeper, service: LlamaCloudEmulator) -> None:
    made = LlamaCloudClient(lambda: KEY, service.url, QUICK_CLOUD, lambda _: False)
    jobs = {
        request_id: made.upload(Upload(CONTENT, "document.pdf", "a secret", request_id), 20)
        for request_id in (uuid4(), uuid4())
    }
    now, nobody = datetime.now(UTC), uuid4()
    asked = dict(zip([*jobs, nobody], [now, now - timedelta(minutes=50), now - timedelta(minutes=20)], strict=True))
    assert keeper.find(asked) == {nobody: []} | {request_id: [remote_id] for request_id, remote_id in jobs.items()}
    assert service.counts["listings"] == 1


def test_a_long_list_is_read_on_for_longer_than_one_exchange(
    service: LlamaCloudEmulator, running: tuple[UUID, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper_module, "SECONDS", 3)
    service.page_size, service.listing_pause = 1, 0.1
    put_before(service, running[1], 31)
    keeper = LlamaCloudKeeper(lambda: KEY, service.url, PATIENT_CLOUD)
    assert keeper.find({running[0]: datetime.now(UTC)}) == {running[0]: [running[1]]}
    assert service.counts["listings"] == 32


def test_a_list_is_read_on_within_a_bound(service: LlamaCloudEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "LISTING_SECONDS", 0.3)
    service.endless, service.listing_pause = True, 0.01
    keeper = LlamaCloudKeeper(lambda: KEY, service.url, PATIENT_CLOUD)
    with pytest.raises(TransientError, match="timeout"):
        keeper.find({uuid4(): datetime.now(UTC)})
