"""Remote jobs that the provider gives up or confuses by its own fault, and what becomes of their documents."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.stages import State
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import TEST, attempt, status_of, submit
from ingest_assets_tests.emulators import llamaparse
from ingest_assets_tests.emulators.llamacloud import LlamaCloudEmulator
from ingest_assets_tests.emulators.llamaparse import Fault, LlamaParseEmulator
from ingest_assets_tests.pipeline.test_failures import AT_ONCE
from ingest_assets_tests.sample_files import pdf

CONTENT = pdf("The walrus is covered.", "The okapi is not.")


@pytest.fixture(
    params=[(LlamaParseEmulator, "auto"), (LlamaCloudEmulator, "llamacloud")], ids=["llamaparse", "llamacloud"]
)
def deployed(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> Iterator[tuple[Deployment, LlamaParseEmulator]]:
    """A deployment with either provider that parses."""
    kind, parser = request.param
    with kind() as service:
        made = Deployment(
            Settings(
                home=tmp_path,
                database_url=SecretStr(database_url),
                parser=parser,
                embedder="local",
                llama_cloud_api_key=SecretStr(llamaparse.KEY),
                llama_cloud_base_url=service.url,
            )
        )
        try:
            yield made.replacing(jitter=lambda: 0.0, retry_policy=AT_ONCE), service
        finally:
            made.close()


def attempts_at(deployment: Deployment) -> list[bool]:
    """Attempt the only document as long as it is claimed, and return of each attempt whether it became searchable."""
    became: list[bool] = []
    while claimed := deployment.claims.claim("worker", 1, deployment.settings.lease):
        [job] = claimed
        became.append(attempt(deployment, job))
    return became


def test_a_document_whose_remote_job_fails_twice_becomes_searchable_and_is_paid_once(
    deployed: tuple[Deployment, LlamaParseEmulator], user: UserId
) -> None:
    deployment, service = deployed
    service.script("polls", Fault.JOB_ERROR, Fault.JOB_ERROR)
    submit(deployment, user, CONTENT, "policy.pdf")

    assert attempts_at(deployment) == [False, False, True]

    assert "walrus" in deployment.search.passages(user, "walrus", 3)[0].text
    assert service.counts["uploads"] == 3
    [costs] = deployment.ledger.costs()
    assert costs.credits == service.counts["credits"] == 6
    assert costs.uncertain.calls == 0


def test_a_document_whose_remote_jobs_all_fail_is_given_up_after_three_retries_and_nothing_is_paid(
    deployed: tuple[Deployment, LlamaParseEmulator], user: UserId
) -> None:
    deployment, service = deployed
    service.script("polls", *[Fault.JOB_ERROR] * 9)
    document_id = submit(deployment, user, CONTENT, "policy.pdf").document_id

    assert attempts_at(deployment) == [False] * 4

    status = status_of(deployment, document_id)
    assert (status.state, status.error_code) == (State.DEADLETTER, "service_job_failed")
    assert service.counts["uploads"] == 4
    assert service.counts["credits"] == 0
    assert deployment.ledger.costs() == []


def test_a_document_for_which_the_provider_names_another_s_job_never_gets_the_other_s_text(
    deployed: tuple[Deployment, LlamaParseEmulator], user: UserId, other_user: UserId, caplog: pytest.LogCaptureFixture
) -> None:
    deployment, service = deployed
    first = submit(deployment, user, CONTENT, "policy.pdf").document_id
    assert attempts_at(deployment) == [True]
    [service.repeated] = service.jobs
    second = submit(deployment, other_user, pdf("The emu is covered."), "other.pdf").document_id

    became = attempts_at(deployment)

    assert status_of(deployment, first).state is State.DONE
    [costs] = deployment.ledger.costs()
    if isinstance(service, LlamaCloudEmulator):  # its list tells which job it has made
        assert became == [True]
        assert "emu" in deployment.search.passages(other_user, "emu", 3)[0].text
        assert costs.credits == service.counts["credits"] == 9
        assert (costs.calls, costs.uncertain.calls) == (2, 0)
    else:
        assert became == [False]
        status = status_of(deployment, second)
        assert (status.state, status.error_code) == (State.DEADLETTER, "service_job_unidentified")
        assert deployment.search.passages(other_user, "walrus", 3) == []
        assert service.counts["uploads"] == 1 + 1, "another upload may cost as much again"
        assert (costs.credits, costs.calls, costs.uncertain.calls) == (6, 1, 1)
    assert service.repeated not in caplog.text
    assert list(deployment.stored_rows.inspect()) == []


def test_a_document_that_is_replayed_becomes_searchable_once_the_provider_names_jobs_of_its_own(
    deployed: tuple[Deployment, LlamaParseEmulator], user: UserId
) -> None:
    deployment, service = deployed
    submit(deployment, user, CONTENT, "policy.pdf")
    assert attempts_at(deployment) == [True]
    [service.repeated] = service.jobs
    document_id = submit(deployment, user, pdf("The emu is covered."), "other.pdf").document_id
    attempts_at(deployment)
    service.repeated = None
    deployment.operations.replay([document_id], TEST)
    attempts_at(deployment)
    assert "emu" in deployment.search.passages(user, "emu", 3)[0].text
