"""What the warm server needs before it may serve: a private socket, and code that is still the present one."""

import os
import socket
from pathlib import Path

import pytest

from ingest_assets.orchestration.warm_launcher.preload import Preloaded
from ingest_assets.orchestration.warm_launcher.sockets import connect, forget, listen, socket_path


@pytest.mark.parametrize("name", ["home", "a long name of a home, " * 5])
def test_only_the_user_reaches_the_socket_wherever_the_home_is(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    home.mkdir()
    path = socket_path(home)
    with listen(path):
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        connect(path).close()
    forget(path)
    assert not path.parent.exists()


def test_two_homes_never_share_a_socket(tmp_path: Path) -> None:
    long = tmp_path / ("long" * 40)
    assert socket_path(long / "one") != socket_path(long / "two")


def test_a_folder_that_others_may_enter_is_not_used(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    path.parent.mkdir()
    path.parent.chmod(0o755)
    with pytest.raises(PermissionError):
        listen(path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as somebody:
        somebody.bind(str(path))
        somebody.listen()
        with pytest.raises(PermissionError):
            connect(path)


def test_what_a_killed_server_left_is_replaced(tmp_path: Path) -> None:
    path = socket_path(tmp_path)
    listen(path).close()
    with listen(path):
        connect(path).close()


def test_code_that_has_changed_since_it_was_loaded_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "changing"
    package.mkdir()
    (package / "__init__.py").touch()
    source = package / "definitions.py"
    source.write_text("import dagster as dg\n\nfrom changing import steps\n\ndefs = dg.Definitions()\n")
    (package / "steps.py").write_text("count = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    preloaded = Preloaded("changing.definitions")
    assert preloaded.is_current()
    os.utime(package / "steps.py", (0, 0))
    assert not preloaded.is_current()
    assert Preloaded("changing.definitions").is_current()
    source.unlink()
    assert not preloaded.is_current()
