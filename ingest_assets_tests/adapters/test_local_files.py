"""Objects as files below a folder."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from ingest_assets.adapters.object_stores.local_files import LocalFiles
from ingest_assets.domain.errors import OutageError
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets_tests.contracts.object_store_contract import ObjectStoreContract


class TestLocalFiles(ObjectStoreContract):
    @pytest.fixture
    def made(self) -> Callable[[Path], ObjectStore]:
        """Return what makes a store in a folder."""
        return LocalFiles

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "objects"

    @pytest.fixture
    def objects(self, folder: Path, made: Callable[[Path], ObjectStore]) -> ObjectStore:
        folder.mkdir()
        return made(folder)

    @pytest.fixture
    def full(self, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
        def full(handle: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        return objects

    @pytest.fixture
    def broken(self, tmp_path: Path, made: Callable[[Path], ObjectStore]) -> ObjectStore:
        (tmp_path / "file").write_text("where a folder should be")
        return made(tmp_path / "file")

    @pytest.fixture
    def crash_while_storing(self, objects: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        def store(key: str) -> None:
            with monkeypatch.context() as crashing:
                crashing.setattr(Path, "replace", stop)
                crashing.setattr(os, "replace", stop)
                crashing.setattr(Path, "unlink", stop)
                with pytest.raises(PoweredOffError):
                    objects.put(key, b"half")

        def stop(*_: object, **__: object) -> None:
            raise PoweredOffError

        return store


@pytest.mark.parametrize("mount_point_is_left", [False, True])
def test_a_store_whose_disk_is_away_is_neither_made_anew_nor_taken_for_empty(
    tmp_path: Path, *, mount_point_is_left: bool
) -> None:
    folder, away = tmp_path / "objects", tmp_path / "away"
    objects = LocalFiles(folder, tmp_path / "known")
    objects.put("user/document/content", b"bytes")
    folder.rename(away)
    if mount_point_is_left:
        folder.mkdir()
    for act in (
        lambda: objects.get("user/document/content"),
        lambda: objects.put("user/document/other", b"bytes"),
        lambda: objects.delete_below("user/document"),
        lambda: objects.count_below("user/document"),
        lambda: objects.claim(uuid4()),
    ):
        with pytest.raises(OutageError, match="storage_failed"):
            act()
    assert not folder.exists() or not any(folder.iterdir())
    if mount_point_is_left:
        folder.rmdir()
    away.rename(folder)
    assert objects.get("user/document/content") == b"bytes"


def test_another_folder_is_made_although_one_was_in_use_before(tmp_path: Path) -> None:
    """As when INGEST_STORAGE_URL is set in a home that had its own store."""
    LocalFiles(tmp_path / "one", tmp_path / "known").put("user/document/content", b"bytes")
    another = LocalFiles(tmp_path / "another", tmp_path / "known")
    another.put("user/document/content", b"others")
    assert another.get("user/document/content") == b"others"
    (tmp_path / "another").rename(tmp_path / "away")
    with pytest.raises(OutageError, match="storage_failed"):
        another.get("user/document/content")


class PoweredOffError(BaseException):
    pass


def test_what_is_stored_is_durable_with_every_folder_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, list[str]]] = []
    synchronise = os.fsync

    def recorded(descriptor: int) -> None:
        found = os.fstat(descriptor)
        names = os.listdir(descriptor) if stat.S_ISDIR(found.st_mode) else []
        synced.append((found.st_ino, names))
        synchronise(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    LocalFiles(tmp_path).put("user/document/content", b"bytes")
    made = [tmp_path / "user", tmp_path / "user" / "document", tmp_path / "user" / "document" / "content"]
    for path in made:
        holding = path.parent.stat().st_ino
        assert any(inode == holding and path.name in names for inode, names in synced), path.name
    assert made[-1].stat().st_ino in {inode for inode, _ in synced}


def test_bytes_that_come_while_old_ones_are_removed_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = LocalFiles(tmp_path)
    objects.put("user/document/content", b"old")
    os.utime(tmp_path / "user/document/content", (0, 0))
    [found] = objects.listed()
    monkeypatch.setattr(Path, "rename", after_storing(Path.rename, objects))
    monkeypatch.setattr(Path, "unlink", after_storing(Path.unlink, objects))
    assert not objects.remove(found)
    assert objects.get("user/document/content") == b"fresh"
    assert [each.key for each in objects.listed()] == ["user/document/content"]


def after_storing(act: Callable[..., object], objects: ObjectStore) -> Callable[..., object]:
    """Return the act, before which somebody else stores the same key: once, at the last moment."""
    waiting = [objects]

    def late(path: Path, *given: object, **named: object) -> object:
        if path.name == "content" and waiting:
            waiting.pop().put("user/document/content", b"fresh")
        return act(path, *given, **named)

    return late


def test_what_was_being_removed_in_a_crash_is_unfinished_and_goes_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    objects = LocalFiles(tmp_path)
    objects.put("user/document/content", b"old")
    [found] = objects.listed()

    def stop(*_: object, **__: object) -> None:
        raise PoweredOffError

    with monkeypatch.context() as crashing:
        crashing.setattr(Path, "unlink", stop)
        with pytest.raises(PoweredOffError):
            objects.remove(found)
    assert not objects.holds("user/document/content")
    [left] = objects.listed()
    assert not left.whole
    assert objects.remove(left)
    assert list(objects.listed()) == []
