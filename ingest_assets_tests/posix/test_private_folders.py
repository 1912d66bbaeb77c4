"""Folders for sockets: short, and closed to everybody else."""

import os
from pathlib import Path

import pytest

from ingest_assets.posix.private_folders import LONGEST_ADDRESS, is_private, make_private, socket_folder


@pytest.mark.parametrize("home", ["/home", "/home/with a space", "/home/with-ü", "/home/" + "long" * 40])
def test_a_sockets_address_is_short_and_plain_and_its_homes_own(home: str) -> None:
    address = str(socket_folder(Path(home), "place", "socket") / "socket")
    assert len(os.fsencode(address)) <= LONGEST_ADDRESS
    assert address.isascii()
    assert " " not in address
    assert socket_folder(Path(home), "place", "socket") == socket_folder(Path(home), "place", "socket")
    assert socket_folder(Path(home), "place", "socket") != socket_folder(Path(home + "2"), "place", "socket")


def test_a_made_folder_is_private_and_made_once(tmp_path: Path) -> None:
    for _ in range(2):
        make_private(tmp_path / "own", os.geteuid(), os.getegid())
        assert is_private(tmp_path / "own", os.geteuid())


def test_what_others_may_enter_or_own_or_have_linked_is_not_used(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o711)
    (tmp_path / "link").symlink_to(private)
    for name in ("open", "link"):
        with pytest.raises(PermissionError):
            make_private(tmp_path / name, os.geteuid(), os.getegid())
    with pytest.raises(PermissionError):
        make_private(private, os.geteuid() + 1, os.getegid())
    assert not is_private(tmp_path / "missing", os.geteuid())
