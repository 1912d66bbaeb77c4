"""Objects as files below a folder."""

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest_assets.adapters.object_stores.local_files import LocalFiles
from ingest_assets.pipeline.ports.object_store import ObjectStore
from ingest_assets_tests.contracts.object_store_contract import ObjectStoreContract


class TestLocalFiles(ObjectStoreContract):
    @pytest.fixture
    def objects(self, tmp_path: Path) -> ObjectStore:
        return LocalFiles(tmp_path)

    @pytest.fixture
    def full(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
        def full(handle: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        return LocalFiles(tmp_path)

    @pytest.fixture
    def broken(self, tmp_path: Path) -> ObjectStore:
        (tmp_path / "file").write_text("where a folder should be")
        return LocalFiles(tmp_path / "file")

    @pytest.fixture
    def crash_while_storing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
        def store(key: str) -> None:
            with monkeypatch.context() as crashing:
                crashing.setattr(Path, "replace", stop)
                crashing.setattr(os, "replace", stop)
                crashing.setattr(Path, "unlink", stop)
                with pytest.raises(PoweredOffError):
                    LocalFiles(tmp_path).put(key, b"half")

        def stop(*_: object, **__: object) -> None:
            raise PoweredOffError

        return store


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
