"""Backups are whole and consistent, whatever goes on meanwhile; what is restored goes on elsewhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.stages import State
from ingest_assets_tests.backups import back_up, found_by, objects_of, restore
from ingest_assets_tests.conftest import deployment_for, settings_for
from ingest_assets_tests.documents import claim_one, drain_all, ingest, policy_text, status_of, submit, take_through


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


@pytest.fixture
def empty_place(empty_database_url: str, tmp_path: Path, parser: LocalParser) -> Iterator[Deployment]:
    """A deployment on a database without a schema, with a home that does not exist yet."""
    with deployment_for(settings_for(empty_database_url, tmp_path / "restored"), parser) as made:
        yield made


def test_what_is_restored_has_the_documents_and_answers_as_before(
    deployment: Deployment, empty_place: Deployment, user: UserId, other_user: UserId, folder: Path
) -> None:
    ingest(deployment, user, policy_text("Dental"), "dental.md")
    ingest(deployment, other_user, policy_text("Zebra"), "zebra.md")
    back_up(deployment, folder)
    restored = restore(folder, empty_place)
    assert (restored.requeued, restored.deleted, restored.damaged) == (0, 0, ())
    assert empty_place.documents.counts() == deployment.documents.counts()
    for owner in (user, other_user):
        before = found_by(deployment, owner, "What does the insurer pay?")
        assert before
        assert found_by(empty_place, owner, "What does the insurer pay?") == before
    assert objects_of(empty_place) == objects_of(deployment)
    assert list(empty_place.integrity.findings()) == []


def test_what_was_in_work_is_queued_again_at_once_without_a_crash_and_finishes(
    deployment: Deployment, empty_place: Deployment, user: UserId, folder: Path
) -> None:
    waiting = submit(deployment, user, policy_text("Waiting"), "waiting.md", priority=-1).document_id
    held = submit(deployment, user, policy_text("Held"), "held.md").document_id
    job = claim_one(deployment)
    deployment.attempts.begin(job)
    take_through(deployment, job, "parsed_markdown", "chunks")
    back_up(deployment, folder)
    restored = restore(folder, empty_place)
    assert restored.requeued == 1
    status = status_of(empty_place, held)
    assert (status.state, status.crashes) == (State.QUEUED, 0)
    assert list(empty_place.integrity.findings()) == []
    assert drain_all(empty_place).done == 2
    for document_id in (waiting, held):
        assert status_of(empty_place, document_id).state is State.DONE
    assert list(empty_place.integrity.findings()) == []
