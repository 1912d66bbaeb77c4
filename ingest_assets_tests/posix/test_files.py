"""Files that others see whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from ingest_assets.posix.files import replacing


def test_a_file_is_replaced_once_the_new_one_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "settings"
    path.write_text("old")
    with replacing(path) as file:
        file.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_whose_replacement_fails_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "settings"
    path.write_text("old")

    def fail_half_way() -> None:
        with replacing(path) as file:
            file.write_text("ne")
            raise ValueError("half way")

    with pytest.raises(ValueError, match="half way"):
        fail_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_need_not_be_durable_waits_for_no_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with replacing(tmp_path / "a") as file:
        file.write_text("a")
    assert synced == []
    with replacing(tmp_path / "b", durable=True) as file:
        file.write_text("b")
    assert len(synced) == 2
