"""Another user of the machine looks into the home, and into the environments of processes."""

import os
import stat
import subprocess
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from ingest_assets.adapters.embedded_postgres.boot import keep_home_private
from ingest_assets.domain.errors import PermanentError
from ingest_assets.posix.private_folders import keep_private
from ingest_assets_tests.system.ingest import Ingest
from ingest_assets_tests.system.supervised import start

NOBODY = 65534
SECRET = "a secret that signs tokens, long enough"  # noqa: S105
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user: nothing was tried as one")

pytestmark = pytest.mark.timeout(300)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="environments are read as Linux shows them")
def test_an_open_home_is_closed_and_no_process_of_dagster_shows_a_secret_that_only_the_service_needs(
    tmp_path: Path,
) -> None:
    ingest = Ingest(tmp_path, (("INGEST_JWT_SECRET", SECRET), ("INGEST_LLAMAPARSE_WEBHOOK_SECRET", SECRET)))
    home = tmp_path / "ingest"
    (home / "dagster" / "logs").mkdir(parents=True)
    for folder in (home, home / "dagster"):
        folder.chmod(0o755)
    running = start(ingest, tmp_path / "messages")
    try:
        assert (mode(home), mode(home / "dagster")) == (0o700, 0o700)
        own = psutil.Process(running.pid)
        # one that is about to become another program still looks like its parent
        children = [child for child in own.children(recursive=True) if child.cmdline() != own.cmdline()]
        assert len(children) >= 3
        for child in children:
            assert SECRET not in child.environ().values(), child.cmdline()
    finally:
        running.end()


@pytest.mark.parametrize("database", [(), (("INGEST_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing"),)])
def test_a_command_alone_closes_the_home_too(tmp_path: Path, database: tuple[tuple[str, str], ...]) -> None:
    home = tmp_path / "ingest"
    home.mkdir()
    (home / "instance").write_text("here\n")
    home.chmod(0o777)
    Ingest(tmp_path, database)("status")
    assert mode(home) == 0o700


def test_all_folders_that_are_made_for_a_home_are_closed(tmp_path: Path) -> None:
    keep_private(tmp_path / "new" / "home" / "below")
    assert {mode(tmp_path / name) for name in ("new", "new/home", "new/home/below")} == {0o700}


def test_a_page_whose_password_cannot_be_read_is_not_served(tmp_path: Path) -> None:
    ran = Ingest(tmp_path, (("INGEST_UI_PASSWORD_FILE", str(tmp_path / "nowhere")),))("up", "--port", "0", "--json")
    assert (ran.code, ran.error["code"]) == (1, "ui_password_missing")


def test_a_home_of_another_user_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)  # nobody could not read this code
    with pytest.raises(PermanentError, match="home_not_private"):
        keep_home_private(tmp_path)


@as_root
def test_root_closes_also_the_home_of_another_user_and_lets_the_servers_user_pass_to_its_data(tmp_path: Path) -> None:
    home = tmp_path / "ingest"
    (home / "postgres/cluster/data").mkdir(parents=True)
    home.chmod(0o755)
    os.chown(home / "postgres/cluster/data", NOBODY, NOBODY)
    keep_home_private(home)
    assert mode(home) == 0o711
    for path in (home, *home.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    keep_home_private(home)
    assert mode(home) == 0o700


@as_root
def test_nobody_else_can_lock_the_home(tmp_path: Path) -> None:
    home = tmp_path / "ingest"
    tmp_path.chmod(0o755)
    keep_private(home)
    (home / "up.lock").touch(mode=0o644)
    command = ["/bin/sh", "-c", ': < "$0"', str(home / "up.lock")]  # what can be opened can be locked
    opened = subprocess.run(command, user=NOBODY, capture_output=True, text=True, timeout=60, check=False)
    assert "ermission denied" in opened.stderr


@pytest.mark.parametrize(("content", "code"), [("", "key_missing"), ("short", "wrong_usage"), (None, "key_missing")])
def test_the_service_takes_its_secret_from_a_file_or_says_what_is_wrong_with_it(
    tmp_path: Path, content: str | None, code: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_text(content)
    ran = Ingest(tmp_path, (("INGEST_JWT_SECRET_FILE", str(file)),))("serve", "--port", "0", "--json")
    assert (ran.code, ran.error["code"]) == (2 if code == "wrong_usage" else 1, code)
