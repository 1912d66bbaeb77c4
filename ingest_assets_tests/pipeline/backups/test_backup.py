"""Backups are whole and consistent, whatever goes on meanwhile."""

from pathlib import Path

import pytest

from ingest_assets.adapters.object_stores.encrypted import MARK
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.composition import Deployment
from ingest_assets.composition.backups import backups_in
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.pipeline.stored_objects import folder_key
from ingest_assets.settings import Settings
from ingest_assets_tests.backups import back_up, folder_of_newest, found_by, objects_of, restore
from ingest_assets_tests.conftest import deployment_for, settings_for
from ingest_assets_tests.documents import (
    TEST,
    ingest,
    policy_text,
)


def test_what_is_deleted_while_it_is_backed_up_is_told_and_does_not_come_back(
    deployment: Deployment, empty_place: Deployment, user: UserId, folder: Path
) -> None:
    ids = [ingest(deployment, user, policy_text(f"Subject {number}"), f"{number}.md") for number in range(3)]
    gone = ids[1]

    def delete_one(step: str, done: int, total: int) -> None:
        if step == "copying documents" and done == 0 and deployment.documents.find(gone) is not None:
            deployment.deletion.delete(gone, TEST)

    made = back_up(deployment, folder, delete_one)
    assert (made.manifest.deleted, made.manifest.missing) == ((gone,), ())
    assert made.manifest.counts["documents"] == 3
    restored = restore(folder, empty_place)
    assert (restored.deleted, restored.damaged) == (1, ())
    assert empty_place.documents.find(gone) is None
    assert empty_place.documents.counts()["searchable"] == 2
    assert list(empty_place.integrity.findings()) == []


def test_what_comes_in_while_it_is_backed_up_is_not_half_in_it(
    deployment: Deployment, empty_place: Deployment, user: UserId, folder: Path
) -> None:
    ingest(deployment, user, policy_text("Early"), "early.md")

    def go_on(step: str, done: int, total: int) -> None:
        if step == "copying documents" and done == 0:
            ingest(deployment, user, policy_text("Late"), "late.md")
            ingest(deployment, user, policy_text("Early again"), "early.md")

    back_up(deployment, folder, go_on)
    restore(folder, empty_place)
    assert empty_place.documents.counts()["documents"] == 1
    assert all("Early, part" in text or "early" in text for text, _ in found_by(empty_place, user, "clause early"))
    assert list(empty_place.integrity.findings()) == []


def test_bytes_that_the_store_has_lost_are_told_in_the_backup_and_after_it(
    deployment: Deployment, empty_place: Deployment, user: UserId, folder: Path
) -> None:
    lost = ingest(deployment, user, policy_text("Lost"), "lost.md")
    ingest(deployment, user, policy_text("Kept"), "kept.md")
    deployment.objects.delete_below(folder_key(user, lost))
    made = back_up(deployment, folder)
    assert (made.manifest.deleted, made.manifest.missing) == ((), (lost,))
    assert restore(folder, empty_place).damaged == (lost,)
    kinds = {(finding.kind, finding.document_ids) for finding in empty_place.integrity.findings()}
    assert ("content_unreadable", (lost,)) in kinds


def test_a_second_backup_copies_only_what_is_new(
    deployment: Deployment, empty_place: Deployment, user: UserId, folder: Path
) -> None:
    for number in range(5):
        ingest(deployment, user, policy_text(f"Subject {number}", 2), f"{number}.md")
    assert back_up(deployment, folder).copied == 10
    assert back_up(deployment, folder).copied == 0
    ingest(deployment, user, policy_text("New", 2), "new.md")
    ingest(deployment, user, policy_text("Changed", 2), "3.md")
    assert back_up(deployment, folder).copied == 4
    restore(folder, empty_place)
    assert objects_of(empty_place).keys() < objects_of(deployment).keys()
    assert list(empty_place.integrity.findings()) == []


def test_encrypted_objects_stay_encrypted_and_the_master_key_is_not_in_the_backup(
    deployment: Deployment, empty_database_url: str, user: UserId, folder: Path, tmp_path: Path, parser: LocalParser
) -> None:
    key = tmp_path / "master-key"
    key.write_text("ab" * 32 + "\n")
    key.chmod(0o600)
    sealing = with_key(deployment.settings, key)
    with deployment_for(sealing, parser) as encrypted:
        ingest(encrypted, user, policy_text("Zebra"), "zebra.md")
        back_up(encrypted, folder)
    kept = [path.read_bytes() for path in (folder_of_newest(folder) / "objects").rglob("*") if path.is_file()]
    assert len(kept) == 2
    assert all(content.startswith(MARK) and b"Zebra" not in content for content in kept)
    for path in folder.rglob("*"):
        assert not path.is_file() or b"ab" * 32 not in path.read_bytes()
    without_key = settings_for(empty_database_url, tmp_path / "restored")
    with deployment_for(without_key, parser) as locked:
        restore(folder, locked)
        with pytest.raises(OutageError, match="master_key_missing"):
            locked.objects.check()
    with deployment_for(with_key(without_key, key), parser) as unlocked:
        assert list(unlocked.integrity.findings()) == []


def test_a_key_that_is_newer_than_the_snapshot_makes_no_backup_that_cannot_be_read(
    deployment: Deployment, user: UserId, folder: Path, tmp_path: Path, parser: LocalParser
) -> None:
    ingest(deployment, user, policy_text())
    key = tmp_path / "master-key"
    key.write_text("ab" * 32 + "\n")
    key.chmod(0o600)

    def encrypt(step: str, done: int, total: int) -> None:
        if step == "copying documents" and done == 0:
            with deployment_for(with_key(deployment.settings, key), parser) as encrypting:
                encrypting.encryption.encrypt_plain()

    with pytest.raises(PermanentError, match="backup_overtaken"):
        back_up(deployment, folder, encrypt)
    with pytest.raises(PermanentError, match="backup_unfinished"):
        backups_in(folder, deployment).newest()
    back_up(deployment, folder)


def with_key(settings: Settings, key: Path) -> Settings:
    return settings.model_copy(update={"master_key_file": key})
