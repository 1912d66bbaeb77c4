"""What may go wrong around the embedded server: processes killed, folders lost, disks full, users who are root."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres, boot, placement
from ingest_assets.adapters.embedded_postgres.installation import find_installation
from ingest_assets.adapters.embedded_postgres.sockets import socket_folder
from ingest_assets.domain.errors import PermanentError
from ingest_assets_tests.faults.embedded_server import (
    UNPRIVILEGED,
    User,
    answers,
    cluster,
    eventually,
    is_running,
    is_supervised,
    kill,
    postmaster,
    python_of_user,
    remember,
    remembered,
    supervisor,
)

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
FULL_DISK = """
import sys
from pathlib import Path
from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.domain.errors import IngestError

disk = Path(sys.argv[1])
ballast = disk / "ballast"

def fill():
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            return

def start():
    try:
        with EmbeddedPostgres(disk / "home"):
            print("started")
    except IngestError as error:
        print(error.code)

for _ in "first start", "later start":
    fill()
    start()
    ballast.unlink()
    start()
"""


@pytest.fixture(scope="module")
def initialised_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Used once and stopped: copies of it start fast."""
    home = tmp_path_factory.mktemp("initialised") / "home"
    with EmbeddedPostgres(home) as server:
        remember(server, "before")
    return home


@pytest.fixture
def home(tmp_path: Path, initialised_home: Path) -> Path:
    return Path(shutil.copytree(initialised_home, tmp_path / "home"))


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, unlike pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="open-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def started(user: User) -> bool:
    return user.says()[:1] == ["started"]


def other_python(user_id: int) -> list[str]:
    python = python_of_user(user_id)
    if python is None:
        pytest.skip("other users can reach no Python or not this project")
    return python


# Users that are killed


def test_the_server_stops_by_itself_when_its_only_user_is_killed(home: Path) -> None:
    with User(home) as user:
        assert started(user)
        user.kill()
    assert eventually(lambda: not is_running(home))


def test_a_user_that_is_killed_takes_nothing_from_the_others(home: Path) -> None:
    with User(home) as user, EmbeddedPostgres(home) as server:
        assert started(user)
        before = postmaster(home)
        user.kill()
        remember(server, "after")
        assert postmaster(home) == before
    assert not is_running(home)


def test_a_user_that_comes_while_the_server_stops_waits_and_starts_it_again(home: Path) -> None:
    for _ in range(5):
        with User(home) as user:
            assert started(user)
            user.kill()
        with EmbeddedPostgres(home) as server:
            assert remembered(server) == ["before"]


# The first start


@pytest.mark.parametrize("kill_user", [User.kill, User.kill_with_children], ids=["alone", "with its children"])
def test_a_first_start_that_is_killed_leaves_nothing_that_breaks_the_next(
    tmp_path: Path, kill_user: Callable[[User], None]
) -> None:
    with User(tmp_path) as user:
        assert eventually(lambda: any(tmp_path.glob("postgres/cluster/initdb-*/PG_VERSION")))
        kill_user(user)
    assert not (tmp_path / "postgres/cluster/data").exists()
    with EmbeddedPostgres(tmp_path) as server:
        remember(server, "after")
        assert remembered(server) == ["after"]


def test_users_that_start_first_at_the_same_time_share_one_server_made_once(tmp_path: Path) -> None:
    with ExitStack() as users:
        started_at_once = [users.enter_context(User(tmp_path)) for _ in range(4)]
        assert {tuple(user.says()) for user in started_at_once} == {("started", EmbeddedPostgres(tmp_path).url())}
        log = (tmp_path / "postgres.log").read_text()
        assert log.count("ready to accept connections") == log.count("syncing data to disk") == 1
        for user in started_at_once:
            user.leave()
    assert not is_running(tmp_path)


# The server and its supervisor killed


def test_a_killed_server_comes_back_by_itself_with_what_was_committed(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        remember(server, "committed")
        killed = psutil.Process(postmaster(home))
        killed.kill()
        assert eventually(lambda: not killed.is_running() and answers(server))
        assert remembered(server) == ["before", "committed"]


def test_a_server_that_does_not_answer_is_started_again(home: Path) -> None:
    with EmbeddedPostgres(home, patience=2) as server:
        stopped = psutil.Process(postmaster(home))
        stopped.suspend()
        assert eventually(lambda: not stopped.is_running() and answers(server))
        assert remembered(server) == ["before"]


def test_a_server_without_a_supervisor_is_revived_by_a_user_that_looks_after_it(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        assert not server.revive()
        processes = [supervisor(home), postmaster(home)]
        for process in processes:
            kill(process)
        assert eventually(lambda: not is_supervised(home))
        assert server.revive()
        assert remembered(server) == ["before"]


def test_how_servers_ended_is_noted(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        assert server.deaths() == []
        kill(postmaster(home))
        assert eventually(lambda: server.deaths() == [-signal.SIGKILL])


def test_a_user_gets_a_killed_server_back_by_starting_it_again(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        url = server.url()
        kill(postmaster(home))
        server.start()
        assert server.url() == url
        assert remembered(server) == ["before"]
    assert not is_running(home)


def test_a_killed_supervisor_is_replaced_at_the_next_start(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        killed = supervisor(home)
        kill(killed)
        assert answers(server)
        assert eventually(lambda: not is_supervised(home))
        with EmbeddedPostgres(home):
            assert remembered(server) == ["before"]
            assert is_supervised(home)
    assert not is_running(home)


def test_a_supervisor_that_is_told_to_end_stops_its_server_properly(home: Path) -> None:
    with EmbeddedPostgres(home) as server:
        psutil.Process(supervisor(home)).terminate()
        assert eventually(lambda: not is_supervised(home))
        assert not is_running(home)
        assert "database system is shut down" in server.log_path.read_text().splitlines()[-1]
        server.start()
        assert remembered(server) == ["before"]


def test_a_server_that_is_told_to_stop_does_not_wait_for_clients_that_never_leave(home: Path) -> None:
    with EmbeddedPostgres(home) as server, psycopg.connect(server.url()):
        psutil.Process(postmaster(home)).terminate()
        assert eventually(lambda: not is_running(home))
        server.start()
        assert remembered(server) == ["before"]


def test_the_last_user_stops_a_server_that_has_lost_its_supervisor(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.start()
    kill(supervisor(home))
    server.stop()
    assert not is_running(home)


def test_a_server_that_has_lost_supervisor_and_users_is_stopped_by_the_next_user(home: Path) -> None:
    with User(home) as user:
        assert started(user)
        kill(supervisor(home))
        user.kill()
    assert is_running(home)
    with EmbeddedPostgres(home) as server:
        assert remembered(server) == ["before"]
    assert not is_running(home)


def test_everything_killed_at_once_loses_nothing_committed(home: Path) -> None:
    with User(home) as user:
        assert started(user)
        remember(EmbeddedPostgres(home), "committed")
        processes = [supervisor(home), postmaster(home)]
        user.kill()
        for process in processes:
            kill(process)
    with EmbeddedPostgres(home) as server:
        assert remembered(server) == ["before", "committed"]


def test_process_ids_left_in_files_may_belong_to_others_by_now(home: Path) -> None:
    with User(home) as user, subprocess.Popen(["sleep", "1000"]) as stranger:
        assert started(user)
        stale = [cluster(home) / "data/postmaster.pid", socket_folder(cluster(home)) / ".s.PGSQL.5432.lock"]
        contents = [file.read_text().split("\n", 1)[1] for file in stale]
        kill(supervisor(home))
        kill(postmaster(home))
        user.kill()
        assert eventually(lambda: not is_running(home))
        for file, rest in zip(stale, contents, strict=True):
            file.write_text(f"{stranger.pid}\n{rest}")
        try:
            with EmbeddedPostgres(home) as server:
                assert remembered(server) == ["before"]
            assert stranger.poll() is None
        finally:
            stranger.kill()


# Folders and disks


def test_a_home_that_is_moved_away_ends_its_server_and_the_next_start_makes_a_new_one(home: Path) -> None:
    server = EmbeddedPostgres(home)
    server.start()
    processes = [psutil.Process(postmaster(home)), psutil.Process(supervisor(home))]
    moved = home.rename(home.with_name("moved"))
    assert eventually(lambda: not any(process.is_running() for process in processes))
    with server:
        remember(server, "new")
        assert remembered(server) == ["new"]
    with EmbeddedPostgres(moved) as old:
        assert remembered(old) == ["before"]


def test_data_of_a_newer_server_is_refused_and_left_alone(home: Path) -> None:
    version = cluster(home) / "data/PG_VERSION"
    version.write_text("99\n")
    with pytest.raises(PermanentError, match="database_start_failed"):
        EmbeddedPostgres(home).start()
    assert "incompatible" in (home / "postgres.log").read_text()
    assert not is_running(home)
    version.write_text("18\n")
    with EmbeddedPostgres(home) as server:
        assert remembered(server) == ["before"]


def test_a_full_disk_is_an_error_until_there_is_space_again(tmp_path: Path) -> None:
    mount = 'mount -t tmpfs -o size=160m tmpfs "$1" && exec "$2" -c "$3" "$1"'
    namespace = ["unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c"]
    if subprocess.run([*namespace, "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    program = [*namespace, mount, "sh", str(tmp_path), sys.executable, FULL_DISK]
    said = subprocess.run(program, capture_output=True, text=True, check=True).stdout.split()
    assert said == ["database_start_failed", "started"] * 2


def test_a_home_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PermanentError, match="database_start_failed"):
        EmbeddedPostgres(tmp_path / "file" / "home").start()


def test_a_socket_folder_that_somebody_else_may_enter_is_refused(tmp_path: Path, initialised_home: Path) -> None:
    home = tmp_path / ("long" * 30) / "home"
    shutil.copytree(initialised_home, home)
    folder = socket_folder(cluster(home))
    assert not folder.is_relative_to(home)
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(PermanentError, match="database_start_failed"):
        EmbeddedPostgres(home).start()
    assert not is_running(home)
    folder.rmdir()
    with EmbeddedPostgres(home) as server:
        assert remembered(server) == ["before"]
    assert not folder.exists()


# Root and other users


@as_root
def test_as_root_the_server_runs_in_a_private_home_without_the_rights_of_root(home: Path) -> None:
    home.chmod(0o700)
    with EmbeddedPostgres(home):
        status = Path(f"/proc/{postmaster(home)}/status").read_text()
        assert "CapEff:\t0000000000000000" in status
        assert cluster(home).is_relative_to(home)


@as_root
def test_root_without_user_namespaces_runs_the_server_as_nobody_outside_a_private_home(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    unreachable = find_installation().copied_below(private)
    monkeypatch.setattr(placement, "find_installation", lambda: unreachable)
    monkeypatch.setattr(placement, "SYSTEM_FOLDER", open_folder / "system")
    monkeypatch.setenv("PATH", str(private))
    home = private / "home"
    for expected in (["first"], ["first", "second"]):
        with EmbeddedPostgres(home) as server:
            remember(server, expected[-1])
            assert remembered(server) == expected
            assert psutil.Process(postmaster(home)).uids().effective == UNPRIVILEGED
            assert cluster(home).parent == open_folder / "system"
        assert not is_running(home)
    assert private.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(cluster(home))
    with pytest.raises(PermanentError, match="database_start_failed"):
        EmbeddedPostgres(home).start()


@as_root
def test_root_without_user_namespaces_leaves_data_where_it_is_if_nobody_may_reach_it(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(placement, "SYSTEM_FOLDER", open_folder / "system")
    monkeypatch.setenv("PATH", str(open_folder))
    home = open_folder / "home"
    home.mkdir()
    with monkeypatch.context() as earlier:
        earlier.setattr(boot, "keep_home_private", lambda _: None)  # earlier versions left an open home open
        with EmbeddedPostgres(home) as server:
            remember(server, "here")
    with EmbeddedPostgres(home) as server:
        assert remembered(server) == ["here"]
        assert psutil.Process(postmaster(home)).uids().effective == UNPRIVILEGED
        assert cluster(home) == home / "postgres" / "cluster"
    assert home.stat().st_mode & 0o777 == 0o711


@as_root
@pytest.mark.parametrize("user_id", [UNPRIVILEGED, 54321], ids=["with a name", "without a name"])
def test_a_plain_user_needs_nothing_special(open_folder: Path, user_id: int) -> None:
    home = open_folder / "home"
    home.mkdir()
    os.chown(home, user_id, user_id)
    with User(home, python=other_python(user_id)) as user:
        assert started(user)
        assert psutil.Process(postmaster(home)).uids().effective == user_id
        user.leave()
    assert not is_running(home)


@as_root
def test_root_serves_the_home_of_another_user_as_that_user(open_folder: Path, initialised_home: Path) -> None:
    home = Path(shutil.copytree(initialised_home, open_folder / "home"))
    for path in (home, *home.rglob("*")):
        os.chown(path, UNPRIVILEGED, UNPRIVILEGED)
    with EmbeddedPostgres(home) as server:
        assert remembered(server) == ["before"]
        assert psutil.Process(postmaster(home)).uids().effective == UNPRIVILEGED
    with User(home, python=other_python(UNPRIVILEGED)) as user:
        assert started(user)
        user.leave()
