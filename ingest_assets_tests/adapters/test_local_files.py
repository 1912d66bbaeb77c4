import os
from pathlib import Path

import pytest

from ingest_assets.adapters.object_stores.local_files import LocalFiles


def test_what_is_stored_is_durable_with_every_folder_on_its_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[int, list[str]]] = []
    synchronise = os.fsync

    def recorded(descriptor: int) -> None:
        found = os.fstat(descriptor)
        names = os.listdir(descriptor) if found.st_nlink > 1 else []
        synced.append((found.st_ino, names))
        synchronise(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    LocalFiles(tmp_path).put("user/document/content", b"bytes")
    made = [tmp_path / "user", tmp_path / "user" / "document", tmp_path / "user" / "document" / "content"]
    for path in made:
        holding = path.parent.stat().st_ino
        assert any(inode == holding and path.name in names for inode, names in synced), path.name
    assert made[-1].stat().st_ino in {inode for inode, _ in synced}
