"""What Llama Cloud keeps, and what is still to be done about it, in Postgres."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from ingest_assets.adapters.postgres.spending.remote_jobs import PostgresRemoteJobs
from ingest_assets.adapters.postgres.spending.remote_leftovers import PostgresRemoteLeftovers
from ingest_assets.adapters.providers.llamacloud.client import LlamaCloudClient
from ingest_assets.adapters.providers.llamacloud.keeper import LlamaCloudKeeper
from ingest_assets.adapters.providers.remote_parsing.client import Upload
from ingest_assets.composition import Deployment
from ingest_assets.pipeline.ports.providers import RemoteJobs, RemoteKeeper, RemoteLeftovers
from ingest_assets_tests.adapters.providers.test_remote_parsers import CONTENT, QUICK_CLOUD
from ingest_assets_tests.contracts.remote_leftovers_contract import RemoteKeeperContract, RemoteLeftoversContract
from ingest_assets_tests.emulators.llamacloud import LlamaCloudEmulator
from ingest_assets_tests.emulators.llamaparse import KEY, Fault


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
    client = LlamaCloudClient(lambda: KEY, service.url, QUICK_CLOUD, lambda _: False)
    request_id = uuid4()
    return request_id, client.upload(Upload(CONTENT, "document.pdf", "a secret", request_id), 20)


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
def test_what_passes_by_itself_keeps_nothing_there(
    service: LlamaCloudEmulator, keeper: RemoteKeeper, running: tuple[UUID, str], operation: str
) -> None:
    service.script(operation, Fault.SERVER_ERROR, Fault.BUSY)
    keeper.remove(running[1])
    assert service.jobs == {}
