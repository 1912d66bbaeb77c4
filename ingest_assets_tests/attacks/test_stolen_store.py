"""Somebody has the document store or a backup of it, or writes to it, but has neither the database nor the key."""

import json
import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import OutageError
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.attempts import FailedAttempt
from ingest_assets.settings import Settings
from ingest_assets_tests.cli.in_process import Here
from ingest_assets_tests.conftest import deployment_for
from ingest_assets_tests.documents import LEASE, TEST, a_slot, drain_all, ingest, policy_text, status_of, submit

WORD = "Zebra"


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "master key"
    path.write_text(os.urandom(32).hex())
    return path


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, database_url: str, tmp_path: Path, user: UserId, key_file: Path) -> Here:
    monkeypatch.setenv("INGEST_MASTER_KEY_FILE", str(key_file))
    return Here(monkeypatch, database_url, tmp_path / "home", user)


@pytest.fixture
def encrypting(settings: Settings, key_file: Path, parser: LocalParser) -> Iterator[Deployment]:
    with deployment_for(settings.model_copy(update={"master_key_file": key_file}), parser) as made:
        yield made


def stored(deployment: Deployment) -> dict[Path, bytes]:
    files = (path for path in deployment.settings.objects_folder.rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files}


def told(deployment: Deployment) -> bool:
    """Return whether a stored object tells the word."""
    return any(WORD.encode() in content for content in stored(deployment).values())


def test_who_copies_the_store_reads_no_document_and_no_text(encrypting: Deployment, user: UserId) -> None:
    document_id = ingest(encrypting, user, policy_text(WORD))
    assert len(stored(encrypting)) == 2  # the file, and its text
    assert not told(encrypting)
    assert encrypting.search.passages(user, f"{WORD} policy", 3)
    assert status_of(encrypting, document_id).state is State.DONE
    assert list(encrypting.integrity.findings()) == []


def test_documents_whose_objects_were_exchanged_get_neither_text(encrypting: Deployment, user: UserId) -> None:
    ids = [submit(encrypting, user, policy_text(name), f"{name}.md").document_id for name in (WORD, "Okapi")]
    (one, its), (other, others) = stored(encrypting).items()
    one.write_bytes(others)
    other.write_bytes(its)
    drain_all(encrypting)
    statuses = [status_of(encrypting, each) for each in ids]
    assert [(each.state, each.error_code) for each in statuses] == [(State.DEADLETTER, "object_tampered")] * 2
    submit(encrypting, user, policy_text(WORD), f"{WORD}.md")
    drain_all(encrypting)
    assert status_of(encrypting, ids[0]).state is State.DONE


def test_a_changed_text_is_made_anew(encrypting: Deployment, user: UserId) -> None:
    document_id = ingest(encrypting, user, policy_text(WORD))
    [text] = (path for path in stored(encrypting) if path.suffix == ".md")
    text.write_bytes(text.read_bytes()[:-1] + b"x")
    assert [finding.kind for finding in encrypting.integrity.findings()] == ["text_unreadable"]
    encrypting.operations.refresh([document_id], TEST)
    drain_all(encrypting)
    assert status_of(encrypting, document_id).state is State.DONE
    assert list(encrypting.integrity.findings()) == []


@pytest.mark.parametrize(("present", "code"), [("", "master_key_missing"), ("ab" * 32, "master_key_wrong")])
def test_a_lost_or_exchanged_master_key_burns_no_attempt_and_loses_nothing(
    encrypting: Deployment, user: UserId, key_file: Path, present: str, code: str
) -> None:
    document_id = submit(encrypting, user, policy_text(WORD)).document_id
    before, right = stored(encrypting), key_file.read_text()
    key_file.write_text(present)
    with pytest.raises(OutageError, match=code):
        submit(encrypting, user, policy_text("Okapi"), "okapi.md")
    [job] = encrypting.claims.claim("worker", 1, LEASE)
    begun = encrypting.attempts.begin(job)
    error = encrypting.attempts.process(begun, a_slot())
    assert getattr(error, "code", None) == code
    assert error is not None
    encrypting.replacing(retry_policy=RetryPolicy(outage_delay=timedelta(0))).attempts.settle(
        FailedAttempt(begun, error)
    )
    status = status_of(encrypting, document_id)
    assert (status.state, status.attempts) == (State.RETRYABLE, 0)
    assert stored(encrypting) == before
    key_file.write_text(right)
    drain_all(encrypting)
    assert status_of(encrypting, document_id).state is State.DONE


def test_a_host_that_was_not_given_the_key_stores_nothing_in_plain(
    encrypting: Deployment, deployment: Deployment, user: UserId
) -> None:
    ingest(encrypting, user, policy_text("Okapi"), "okapi.md")
    before = stored(encrypting)
    with pytest.raises(OutageError, match="master_key_missing"):
        submit(deployment, user, policy_text(WORD))
    with pytest.raises(OutageError, match="master_key_missing"):
        deployment.objects.check()
    assert stored(encrypting) == before


def test_a_backup_of_the_store_tells_nothing_of_a_user_whose_documents_are_deleted(
    encrypting: Deployment, user: UserId, tmp_path: Path, database_url: str
) -> None:
    document_id = ingest(encrypting, user, policy_text(WORD))
    document = encrypting.documents.find(document_id)
    assert document is not None
    folder = encrypting.settings.objects_folder
    shutil.copytree(folder, tmp_path / "backup")
    assert encrypting.deletion.finish(TEST).destroyed_keys == 0
    encrypting.deletion.delete(document_id, TEST)
    assert encrypting.deletion.finish(TEST).destroyed_keys == 0  # somebody might be storing something
    with psycopg.connect(database_url) as connection:
        connection.execute("UPDATE upload_pipeline.user_keys SET used_at = used_at - interval '25 hours'")
    assert encrypting.deletion.finish(TEST).destroyed_keys == 1
    shutil.copytree(tmp_path / "backup", folder, dirs_exist_ok=True)
    for found in list(encrypting.objects.listed()):
        with pytest.raises(Exception, match="content_missing"):
            encrypting.objects.get(found.key)
    again = ingest(encrypting, user, policy_text("Okapi"), "okapi.md")
    assert status_of(encrypting, again).state is State.DONE


def test_what_is_stored_already_is_encrypted_by_one_command_which_also_changes_the_master_key(
    deployment: Deployment, encrypting: Deployment, user: UserId, key_file: Path, here: Here
) -> None:
    ids: list[DocumentId] = [ingest(deployment, user, policy_text(WORD))]
    assert told(deployment)
    ids.append(ingest(encrypting, user, policy_text(f"{WORD} two"), "two.md"))
    assert here("encrypt") == {"keys": 1, "objects": 2}
    assert not told(encrypting)

    former, new = key_file.read_text(), os.urandom(32).hex()
    key_file.write_text(f"{new}\n{former}\n")
    assert here("encrypt") == {"keys": 1, "objects": 0}
    key_file.write_text(new)
    assert list(encrypting.integrity.findings()) == []
    encrypting.operations.refresh(ids, TEST)
    drain_all(encrypting)
    assert {status_of(encrypting, each).state for each in ids} == {State.DONE}
    checks = {each["check"]: each for each in json.loads(here.read("doctor", "--json"))}
    assert "AES-256" in checks["encryption of stored documents"]["detail"]
    key_file.write_text(former)
    checks = {each["check"]: each for each in json.loads(here.read("doctor", "--json"))}
    assert checks["encryption of stored documents"]["code"] == "master_key_wrong"
