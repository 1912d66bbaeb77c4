"""Llama Cloud from a submitted document to a search, to its late bill, and to the document's deletion there, too."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingest_assets.adapters.postgres.spending.remote_jobs import PostgresRemoteJobs
from ingest_assets.adapters.providers import LLAMACLOUD
from ingest_assets.adapters.providers.llamacloud.settings import LlamaCloudSettings
from ingest_assets.composition import Deployment, providers
from ingest_assets.composition.providers import llamacloud_settings
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets.domain.queue.stages import State
from ingest_assets.domain.spending.costs import ProviderCosts
from ingest_assets.pipeline.remote_upkeep import LookedAfter
from ingest_assets.settings import Settings
from ingest_assets_tests.contracts.remote_leftovers_contract import pass_time
from ingest_assets_tests.documents import TEST, attempt, drain_all, submit
from ingest_assets_tests.emulators import llamaparse
from ingest_assets_tests.emulators.llamacloud import LlamaCloudEmulator
from ingest_assets_tests.emulators.llamaparse import Fault
from ingest_assets_tests.http.api import SECRET, serving
from ingest_assets_tests.sample_files import pdf

CONTENT = pdf("The walrus is covered.", "The okapi is not.")


@pytest.fixture
def service() -> Iterator[LlamaCloudEmulator]:
    with LlamaCloudEmulator() as emulator:
        yield emulator


@contextmanager
def deployed(database_url: str, home: Path, service: LlamaCloudEmulator, **settings: object) -> Iterator[Deployment]:
    made = Deployment(
        Settings(
            home=home,
            database_url=SecretStr(database_url),
            parser="llamacloud",
            embedder="local",
            llama_cloud_api_key=SecretStr(llamaparse.KEY),
            llama_cloud_base_url=service.url,
            jwt_secret=SecretStr(SECRET),
            **settings,  # type: ignore[arg-type]
        )
    )
    try:
        yield made.replacing(jitter=lambda: 0.0)
    finally:
        made.close()


@pytest.fixture
def deployment(database_url: str, tmp_path: Path, service: LlamaCloudEmulator) -> Iterator[Deployment]:
    with deployed(database_url, tmp_path, service) as made:
        yield made


def ingested(deployment: Deployment, user: UserId, content: bytes = CONTENT, name: str = "policy.pdf") -> DocumentId:
    document_id = submit(deployment, user, content, name).document_id
    [job] = deployment.claims.claim("worker", 1, deployment.settings.lease)
    assert attempt(deployment, job)
    return document_id


def costs_of(deployment: Deployment) -> ProviderCosts:
    [costs] = deployment.ledger.costs()
    assert costs.provider == LLAMACLOUD.name
    return costs


def test_a_document_is_parsed_and_found_and_its_late_bill_is_booked(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId
) -> None:
    service.unbilled_looks = 2
    document_id = ingested(deployment, user)
    document = deployment.documents.find(document_id)
    assert document is not None
    assert document.parse is not None
    assert (document.parse.parser.name, document.parse.parser.version) == ("llamacloud", "cost_effective-2026-09-28+1")
    hits = deployment.search.passages(user, "walrus", 3)
    assert "walrus" in hits[0].text
    assert hits[0].page == 1
    [remote] = service.jobs.values()
    remote.cached = True  # the provider asks for less than the price list says
    assert (costs_of(deployment).credits, costs_of(deployment).micro_usd) == (6, 7500)
    assert not deployment.remote_upkeep.is_due()
    pass_time(deployment, timedelta(minutes=2))
    assert deployment.remote_upkeep.is_due()
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=0, removed=0, waiting=1)
    assert costs_of(deployment).credits == 6
    pass_time(deployment, timedelta(hours=1))
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=1, removed=0, waiting=0)
    assert (costs_of(deployment).credits, costs_of(deployment).micro_usd, costs_of(deployment).pages) == (0, 0, 2)
    assert list(deployment.stored_rows.inspect()) == []
    pass_time(deployment, timedelta(days=1))
    assert not deployment.remote_upkeep.is_due()


@pytest.mark.parametrize(("times", "told"), [(20, False), (500, True)])
def test_a_late_bill_of_many_times_what_was_expected_is_booked_and_told(
    deployment: Deployment,
    service: LlamaCloudEmulator,
    user: UserId,
    caplog: pytest.LogCaptureFixture,
    times: int,
    *,
    told: bool,
) -> None:
    service.unbilled_looks = 1
    ingested(deployment, user)
    [remote] = service.jobs.values()
    remote.pages *= times
    pass_time(deployment, timedelta(minutes=2))
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=1, removed=0, waiting=0)
    assert costs_of(deployment).credits == 6 * times
    lines = [record.message for record in caplog.records if "is billed" in record.message]
    assert len(lines) == told
    assert all(" 3000 credits" in line and line.endswith("expect 6") for line in lines)


def test_a_deleted_document_is_deleted_at_the_provider_too_as_soon_as_that_can_be_reached(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId
) -> None:
    document_id = ingested(deployment, user)
    assert len(service.jobs) == 1
    service.script("polls", *[Fault.UNAUTHORISED] * 2)
    deployment.deletion.delete(document_id, TEST)
    assert deployment.deletion.traces_of(document_id, user) == {}
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=0, removed=0, waiting=1)
    assert len(service.jobs) == 1
    assert not deployment.remote_upkeep.is_due()
    for _ in range(2):
        pass_time(deployment, timedelta(hours=7))
        looked_after = deployment.remote_upkeep.look_after()
    assert looked_after == LookedAfter(billed=0, removed=1, waiting=0)
    assert service.jobs == {}
    assert costs_of(deployment).credits == service.counts["credits"] == 6


def test_a_bill_that_cannot_be_had_holds_up_no_removal(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId
) -> None:
    deployment.deletion.delete(ingested(deployment, user), TEST)
    service.script("bills", Fault.UNAUTHORISED)
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=0, removed=1, waiting=0)
    assert service.jobs == {}
    assert costs_of(deployment).credits == service.counts["credits"] == 6


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.RESET, Fault.BUSY])
def test_a_provider_that_fails_is_left_alone_for_the_rest_of_the_round(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId, fault: Fault
) -> None:
    for content in (CONTENT, pdf("The gnu is covered."), pdf("The emu is not.")):
        deployment.deletion.delete(ingested(deployment, user, content), TEST)
    service.script("polls", fault)
    before = service.counts["polls"]
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=0, removed=0, waiting=1)
    assert service.counts["polls"] == before + 1
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=0, removed=2, waiting=0)
    pass_time(deployment, timedelta(hours=7))
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=0, removed=1, waiting=0)
    assert service.jobs == {}


def test_a_gateway_that_stops_waiting_leads_to_one_job_that_is_paid_and_kept(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId
) -> None:
    service.script("uploads", Fault.SLOW_GATEWAY)
    ingested(deployment, user)
    assert service.counts["uploads"] == len(service.jobs) == 1
    assert costs_of(deployment).credits == service.counts["credits"] == 6
    assert costs_of(deployment).uncertain.calls == 0
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=0, removed=0, waiting=0)
    assert len(service.jobs) == 1


def test_of_two_jobs_of_one_upload_one_is_kept_and_the_other_billed_and_removed(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId
) -> None:
    service.script("uploads", Fault.HASTY_GATEWAY, Fault.SLOW_GATEWAY)
    document_id = ingested(deployment, user)
    document = deployment.documents.find(document_id)
    assert document is not None
    assert document.parse is not None
    kept = deployment.remote_jobs.recall(document, document.parse.parser)
    assert kept is not None
    for remote_id in service.jobs:
        service.finish(remote_id)
    assert len(service.jobs) == 2
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=0, removed=1, waiting=0)
    assert set(service.jobs) == {kept.remote_id}
    assert costs_of(deployment).credits == service.counts["credits"] == 12
    deployment.deletion.delete(document_id, TEST)
    assert deployment.remote_upkeep.look_after().removed == 1
    assert service.jobs == {}


def test_all_jobs_of_an_upload_that_was_not_answered_are_removed_with_its_document(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId
) -> None:
    service.script("uploads", Fault.HASTY_GATEWAY, Fault.SLOW_GATEWAY)
    service.script("listings", Fault.UNAUTHORISED)
    document_id = submit(deployment, user, CONTENT, "policy.pdf").document_id
    [job] = deployment.claims.claim("worker", 1, deployment.settings.lease)
    assert not attempt(deployment, job)
    deployment.deletion.delete(document_id, TEST)
    for remote_id in service.jobs:
        service.finish(remote_id)
    assert len(service.jobs) == 2
    assert deployment.remote_upkeep.look_after().removed == 1
    assert service.jobs == {}
    assert costs_of(deployment).credits == service.counts["credits"] == 12


def test_a_job_whose_creation_was_not_answered_is_removed_with_its_document(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId
) -> None:
    service.script("uploads", Fault.LOST_ANSWER)
    service.script("listings", *[Fault.UNAUTHORISED] * 2)
    document_id = submit(deployment, user, CONTENT, "policy.pdf").document_id
    [job] = deployment.claims.claim("worker", 1, deployment.settings.lease)
    assert not attempt(deployment, job)
    assert costs_of(deployment).uncertain.calls == 1
    deployment.deletion.delete(document_id, TEST)
    [remote_id] = service.jobs
    service.finish(remote_id)
    assert deployment.remote_upkeep.look_after().waiting == 1
    pass_time(deployment, timedelta(hours=7))
    assert deployment.remote_upkeep.look_after().removed == 1
    assert service.jobs == {}
    assert (costs_of(deployment).credits, costs_of(deployment).uncertain.calls) == (service.counts["credits"], 0)


def test_what_nobody_finds_is_looked_for_for_an_hour(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId
) -> None:
    service.script("uploads", Fault.RESET)
    document_id = submit(deployment, user, CONTENT, "policy.pdf").document_id
    [job] = deployment.claims.claim("worker", 1, deployment.settings.lease)
    assert not attempt(deployment, job)
    deployment.deletion.delete(document_id, TEST)
    assert deployment.remote_upkeep.look_after().waiting == 1
    pass_time(deployment, timedelta(hours=2))
    assert deployment.remote_upkeep.look_after().removed == 1
    assert deployment.ledger.costs() == []
    assert list(deployment.stored_rows.inspect()) == []


UNHEARD = [Fault.SERVER_ERROR, Fault.BAD_GATEWAY, Fault.RESET]


def failed(deployment: Deployment, user: UserId, content: bytes = CONTENT, name: str = "policy.pdf") -> DocumentId:
    """Return a document whose only attempt has failed."""
    document_id = submit(deployment, user, content, name).document_id
    [job] = deployment.claims.claim("worker", 1, deployment.settings.lease)
    assert not attempt(deployment, job)
    return document_id


@pytest.mark.parametrize("fault", UNHEARD)
def test_what_an_upload_may_have_cost_is_released_once_the_provider_s_whole_list_shows_no_job_of_it(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId, fault: Fault
) -> None:
    service.script("uploads", fault)
    failed(deployment, user)
    assert (costs_of(deployment).uncertain.calls, costs_of(deployment).uncertain.micro_usd) == (1, 7500)
    pass_time(deployment, timedelta(minutes=50))
    assert not deployment.remote_upkeep.is_due()
    pass_time(deployment, timedelta(minutes=20))
    service.script("listings", Fault.UNAUTHORISED)
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=0, removed=0, waiting=1)
    assert costs_of(deployment).uncertain.calls == 1
    pass_time(deployment, timedelta(hours=2))
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=1, removed=0, waiting=0)
    assert deployment.ledger.costs() == []
    assert list(deployment.stored_rows.inspect()) == []
    pass_time(deployment, timedelta(days=1))
    assert not deployment.remote_upkeep.is_due()


def test_what_an_upload_has_cost_is_booked_if_the_provider_s_list_shows_its_job_and_its_document_still_gets_it(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId
) -> None:
    service.script("uploads", Fault.LOST_ANSWER)
    service.script("listings", Fault.UNAUTHORISED)
    at_once = deployment.replacing(retry_policy=RetryPolicy(first_delay=timedelta(0), outage_delay=timedelta(0)))
    document_id = failed(at_once, user)
    [remote_id] = service.jobs
    service.finish(remote_id)
    pass_time(deployment, timedelta(minutes=61))
    service.jobs[remote_id].created_at -= timedelta(minutes=61)
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=1, removed=0, waiting=0)
    assert costs_of(deployment).credits == service.counts["credits"] == 6
    assert costs_of(deployment).uncertain.calls == 0
    assert not deployment.remote_upkeep.is_due()
    drain_all(at_once)
    assert deployment.documents.states([document_id]) == {State.DONE: 1}
    assert list(service.jobs) == [remote_id]
    assert costs_of(deployment).credits == service.counts["credits"] == 6
    assert list(deployment.stored_rows.inspect()) == []


@pytest.mark.parametrize("deleted", [False, True], ids=["a document waits for it", "its document is deleted"])
def test_a_list_that_cannot_be_read_holds_up_no_removal_and_no_bill(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId, *, deleted: bool
) -> None:
    service.script("uploads", Fault.RESET)
    lost = failed(deployment, user)
    service.unbilled_looks = 1
    ingested(deployment, user, pdf("The emu is covered."), "emu.pdf")
    unneeded = ingested(deployment, user, pdf("The gnu is covered."), "gnu.pdf")
    for document_id in [lost] * deleted + [unneeded]:
        deployment.deletion.delete(document_id, TEST)
    pass_time(deployment, timedelta(minutes=61))
    service.script("listings", Fault.SERVER_ERROR)
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=1, removed=1, waiting=1)
    assert len(service.jobs) == 1


def test_what_two_uploads_may_have_cost_is_released_after_one_reading_of_the_provider_s_list(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId
) -> None:
    for name in ("emu.pdf", "gnu.pdf"):
        service.script("uploads", Fault.RESET)
        failed(deployment, user, pdf(f"It is the {name}."), name)
    assert costs_of(deployment).uncertain.calls == 2
    pass_time(deployment, timedelta(minutes=61))
    before = service.counts["listings"]
    assert deployment.remote_upkeep.look_after() == LookedAfter(billed=2, removed=0, waiting=0)
    assert service.counts["listings"] == before + 1
    assert deployment.ledger.costs() == []


def test_what_a_retry_has_replaced_is_released_too(
    deployment: Deployment, service: LlamaCloudEmulator, user: UserId
) -> None:
    service.script("uploads", Fault.SERVER_ERROR)
    at_once = deployment.replacing(retry_policy=RetryPolicy(first_delay=timedelta(0), outage_delay=timedelta(0)))
    failed(at_once, user)
    [job] = at_once.claims.claim("worker", 1, deployment.settings.lease)
    assert attempt(at_once, job)
    assert (costs_of(deployment).credits, costs_of(deployment).uncertain.calls) == (6, 1)
    pass_time(deployment, timedelta(minutes=61))
    assert deployment.remote_upkeep.look_after().removed == 1
    assert (costs_of(deployment).credits, costs_of(deployment).uncertain.calls) == (6, 0)
    assert list(deployment.stored_rows.inspect()) == []


def looking_late(settings: Settings) -> LlamaCloudSettings:
    """Without a look by itself before a callback."""
    return replace(llamacloud_settings(settings), first_pause=100, longest_pause=100)


@pytest.mark.parametrize("failing", [False, True])
@pytest.mark.timeout(120)
def test_a_signed_callback_ends_the_wait_without_another_poll(
    database_url: str, tmp_path: Path, user: UserId, monkeypatch: pytest.MonkeyPatch, *, failing: bool
) -> None:
    monkeypatch.setattr(providers, "llamacloud_settings", looking_late)
    with (
        LlamaCloudEmulator(pending_polls=1_000_000) as service,
        deployed(database_url, tmp_path, service) as listening,
        serving(listening, user) as api,
        deployed(
            database_url, tmp_path, service, llamacloud_callback_url=f"{api.url}/v1/webhooks/llamacloud"
        ) as deployment,
    ):
        service.calls_back = False
        document_id = submit(deployment, user, CONTENT, "policy.pdf").document_id
        [job] = deployment.claims.claim("worker", 1, deployment.settings.lease)
        with ThreadPoolExecutor(1) as worker:
            attempted = worker.submit(attempt, deployment, job)
            while not service.jobs:
                assert not attempted.done()
            [remote] = service.jobs.values()
            if failing:
                remote.status = "ERROR"
            service.finish(remote.job_id)
            assert attempted.result() != failing
        assert remote.called_back.is_set()
        assert remote.callback_status == 200
        assert service.counts["polls"] == failing
        assert deployment.documents.states([document_id]) == {State.RETRYABLE if failing else State.DONE: 1}
        with deployment.database.connection() as connection:
            logged = connection.execute("SELECT service, outcome, body FROM upload_pipeline.webhook_log").fetchone()
        assert logged is not None
        assert (logged["service"], logged["outcome"]) == ("llamacloud", "completed")
        assert b"job_id" in logged["body"]


def test_results_of_the_first_protocol_are_outdated_and_a_refresh_makes_up_for_them(
    database_url: str, tmp_path: Path, service: LlamaCloudEmulator, user: UserId
) -> None:
    with llamaparse.LlamaParseEmulator() as first, deployed(database_url, tmp_path, service) as second:
        before = Deployment(second.settings.model_copy(update={"parser": "auto", "llama_cloud_base_url": first.url}))
        document_id = ingested(before, user)
        assert before.refresh.outdated() == []
        before.close()
        assert [each.document_id for each in second.refresh.outdated()] == [document_id]
        assert second.refresh.queue(second.refresh.outdated(), TEST) == [document_id]
        drain_all(second)
        document = second.documents.find(document_id)
        assert document is not None
        assert document.parse is not None
        assert document.parse.parser.name == "llamacloud"
        assert PostgresRemoteJobs(second.database).recall(document, document.parse.parser) is not None
