"""Backups in a folder: each is complete by itself, and nobody else can read it."""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from ingest_assets.adapters.backup_folder import BackupInFolder, CompleteBackup, FolderOfBackups
from ingest_assets.adapters.clock import SystemClock
from ingest_assets.domain.backups import Manifest
from ingest_assets.domain.errors import PermanentError
from ingest_assets.pipeline.ports.backing_up import NewBackup, WholeBackup
from ingest_assets_tests.contracts.backing_up_contract import (
    NewBackupContract,
    WholeBackupContract,
    changed,
    manifest_for,
    stored,
    unreadable,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


class Making:
    @pytest.fixture
    def make(self, folder: Path) -> Iterator[Callable[[], BackupInFolder]]:
        folder.mkdir()
        with ExitStack() as ending:

            def begin() -> BackupInFolder:
                earlier = sorted(folder.iterdir())
                (folder / str(len(earlier))).mkdir()
                new = BackupInFolder(folder / str(len(earlier)), earlier)
                ending.callback(new.close)
                return new

            yield begin


class TestBackupInFolder(Making, NewBackupContract):
    pass


class TestCompleteBackup(Making, WholeBackupContract):
    @pytest.fixture
    def finished(self) -> Callable[[NewBackup, Manifest], WholeBackup]:
        def finish(new: NewBackup, manifest: Manifest) -> WholeBackup:
            new.finish(manifest)
            return CompleteBackup(new.dump.parent)

        return finish

    def place_of(self, whole: WholeBackup, key: str) -> Path:
        return whole.dump.parent / "objects" / key


def made_in(folder: Path, *keys: str) -> Path:
    """Make a backup with these objects, and return its folder."""
    with FolderOfBackups(folder, SystemClock()).making(uuid4()) as new:
        new.note([])
        for key in keys:
            new.keep(stored(key, b"one"), lambda: b"one")
        new.finish(manifest_for(new, taken_at=SystemClock().now()))
        return new.folder


def broken_in(folder: Path, *keys: str) -> Path:
    """Begin a backup with these objects, interrupt it, and return its folder."""
    making = FolderOfBackups(folder, SystemClock()).making(uuid4())
    new = making.__enter__()
    for key in keys:
        new.keep(stored(key, b"one"), lambda: b"one")
    interruption = KeyboardInterrupt()
    assert not making.__exit__(KeyboardInterrupt, interruption, None)
    return new.folder


def test_only_the_owner_can_read_a_backup_whatever_the_umask_says(folder: Path) -> None:
    before = os.umask(0)
    try:
        made_in(folder, "user/document/a")
    finally:
        os.umask(before)
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path.name


def test_a_later_backup_shares_the_bytes_of_an_earlier_one_and_outlives_it(folder: Path) -> None:
    first, second = made_in(folder, "a"), made_in(folder, "a")
    assert (first / "objects" / "a").samefile(second / "objects" / "a")
    for path in first.rglob("*"):
        if path.is_file():
            path.unlink()
    whole = CompleteBackup(second)
    whole.check()
    assert [whole.content(each) for each in whole.objects()] == [b"one"]


def test_what_an_earlier_backup_has_lost_is_read_again(folder: Path) -> None:
    first = made_in(folder, "a", "b")
    (first / "objects" / "a").unlink()
    (first / "objects" / "b").write_bytes(b"on")
    with FolderOfBackups(folder, SystemClock()).making(uuid4()) as new:
        assert new.keep(stored("a", b"one"), lambda: b"one")
        assert new.keep(stored("b", b"one"), lambda: b"one")


def test_what_has_rotted_in_an_earlier_backup_is_read_again_if_it_is_verified(folder: Path) -> None:
    first = made_in(folder, "a", "b")
    (first / "objects" / "a").write_bytes(b"eno")
    with FolderOfBackups(folder, SystemClock()).making(uuid4(), verifies=True) as new:
        assert new.keep(stored("a", b"one"), lambda: b"one")
        assert not new.keep(stored("b", b"one"), unreadable)


def test_an_interrupted_backup_has_no_manifest_and_the_one_before_it_counts(folder: Path) -> None:
    backups = FolderOfBackups(folder, SystemClock())
    with pytest.raises(PermanentError, match="backup_missing"):
        backups.newest()
    broken = broken_in(folder, "a")
    for each in (backups, FolderOfBackups(broken, SystemClock())):
        with pytest.raises(PermanentError, match="backup_unfinished"):
            each.newest()
    complete = made_in(folder, "a")
    assert not broken.exists()
    broken_in(folder)
    assert backups.newest() == CompleteBackup(complete)


def test_a_backup_that_broke_off_gives_its_objects_to_the_next_one(folder: Path) -> None:
    made_in(folder, "b")
    backups = FolderOfBackups(folder, SystemClock())
    broken = broken_in(folder, "a", "b")
    with (broken / "objects.jsonl").open("a") as lines:
        lines.write('{"key": "c", "byte_')
    with backups.making(uuid4()) as new:
        assert not new.keep(stored("a", b"one"), unreadable)
        assert not new.keep(stored("b", b"one"), unreadable)
        assert new.keep(stored("c", b"one"), lambda: b"one")


def test_two_backups_into_one_folder_do_not_run_at_once(folder: Path) -> None:
    with (
        FolderOfBackups(folder, SystemClock()).making(uuid4()),
        pytest.raises(PermanentError, match="backup_under_way"),
    ):
        made_in(folder)
    made_in(folder)


def test_the_folder_of_one_backup_is_that_backup(folder: Path) -> None:
    first = made_in(folder, "a")
    made_in(folder, "a", "b")
    assert FolderOfBackups(first, SystemClock()).newest() == CompleteBackup(first)


def test_a_manifest_of_a_newer_program_and_a_damaged_one_are_refused_by_name(folder: Path) -> None:
    manifest = made_in(folder) / "manifest.json"
    backups = FolderOfBackups(folder, SystemClock())
    changed(manifest, format=99)
    with pytest.raises(PermanentError, match="backup_newer: The backup has the format 99"):
        backups.newest()
    changed(manifest, format=1, migrations="none")
    for text in (manifest.read_text(), "{", "[]", "null"):
        manifest.write_text(text.replace('"none"', "[]"))
        with pytest.raises(PermanentError, match=r"backup_damaged: The file manifest\.json"):
            backups.newest()


def test_an_earlier_backup_that_is_damaged_keeps_nobody_from_the_newest(folder: Path) -> None:
    (made_in(folder) / "manifest.json").write_text("{")
    newest = made_in(folder)
    assert FolderOfBackups(folder, SystemClock()).newest() == CompleteBackup(newest)


def test_a_folder_that_cannot_be_used_is_named_by_its_code(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PermanentError, match="backup_folder_unusable"):
        made_in(tmp_path / "file" / "backups")
