"""Whatever goes wrong, and wherever: Dagster's storage and output hold nothing that an exception quotes.

Each failure says the canary in its own message, in its cause's, and in that of what was being handled.
"""

from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.errors import ScheduleExecutionError
from dagster._utils.error import serializable_error_info_from_exc_info

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import TransientError
from ingest_assets_tests.documents import policy_text, submit
from ingest_assets_tests.orchestration.leaking import CANARY, leak, leaking
from ingest_assets_tests.orchestration.runs import run_drain, run_partition
from ingest_assets_tests.orchestration.test_queue import minute

PLACES = [
    ("parser", "parse"),
    ("objects", "put"),
    ("objects", "get"),
    ("documents", "find"),
    ("claims", "take"),
    ("claims", "begin"),
    ("claims", "settle"),
    ("claims", "claim"),
    ("claims", "release"),
    ("changes", "write_all"),
    ("changes", "parse"),
    ("changes", "chunked"),
    ("changes", "vectors"),
    ("changes", "version"),
    ("reports", "finished"),
    ("chunk_buffer", "load"),
    ("embedder", "embed"),
    ("vector_buffer", "reuse"),
    ("vector_buffer", "present"),
    ("vector_index", "keep"),
]
"""Ports with their methods; of changes also the parts that writing them fails for."""


@dataclass(frozen=True)
class Listener:
    instance: dg.DagsterInstance
    capfd: pytest.CaptureFixture[str]
    caplog: pytest.LogCaptureFixture

    def heard_nothing(self, failed: str) -> None:
        shown = "".join(self.capfd.readouterr()) + self.caplog.text
        assert not CANARY.is_in(shown), f"{failed}: {shown}"
        assert not CANARY.below(Path(self.instance.root_directory)), failed


@pytest.fixture
def listener(
    instance: dg.DagsterInstance, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Listener:
    return Listener(instance, capfd, caplog)


def test_partition_runs_that_fail_in_any_place_tell_nothing(
    deployment: Deployment, user: UserId, listener: Listener
) -> None:
    for port, method in PLACES:
        document_id = submit(
            deployment, user, policy_text(CANARY.word), f"{CANARY.word} {port} {method}.md"
        ).document_id
        run_partition(leaking(deployment, port, method), listener.instance, document_id)
        listener.heard_nothing(f"{port}.{method}")


def test_drain_runs_that_fail_in_any_place_tell_nothing(
    deployment: Deployment, user: UserId, listener: Listener
) -> None:
    for port, method in PLACES:
        submit(deployment, user, policy_text(CANARY.word, 1), f"{CANARY.word} {port} {method}.md")
        run_drain(leaking(deployment, port, method), listener.instance)
        listener.heard_nothing(f"{port}.{method}")


def test_ticks_that_fail_tell_their_daemon_nothing(deployment: Deployment, instance: dg.DagsterInstance) -> None:
    for port, method in (("claims", "reclaim"), ("claims", "claim"), ("reports", "dead_letters")):
        with pytest.raises(ScheduleExecutionError) as raised:
            minute(leaking(deployment, port, method), instance)
        told = told_to_dagster(raised.value)
        assert "TellingError" in told
        assert not CANARY.is_in(told)


class UnmakeableDeployment(Deployment):
    """Its parser cannot be made."""

    parser = property(leak)


def test_parts_that_cannot_be_made_tell_nothing(deployment: Deployment, user: UserId, listener: Listener) -> None:
    document_id = submit(deployment, user, policy_text(CANARY.word)).document_id
    unmakeable = UnmakeableDeployment(deployment.settings)
    assert not run_partition(unmakeable, listener.instance, document_id).success
    assert not run_drain(unmakeable, listener.instance).success
    unmakeable.close()
    listener.heard_nothing("the composition")


def test_what_the_catalogue_says_and_where_it_happened_stays() -> None:
    with pytest.raises(TransientError) as raised:
        raise TransientError("out_of_memory", megabytes=7)
    told = told_to_dagster(raised.value)
    assert "Parsing needed more than 7 MB of memory." in told
    assert "test_what_the_catalogue_says_and_where_it_happened_stays" in told


def told_to_dagster(error: BaseException) -> str:
    assert error.__traceback__ is not None
    return str(serializable_error_info_from_exc_info((type(error), error, error.__traceback__)))
