"""`ingest up` keeps everything running, whatever is killed or stands still, and leaves nothing behind."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil  # type: ignore[import-untyped]
import pytest

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.posix.locks import try_exclusive
from ingest_assets_tests.faults.embedded_server import answers, postmaster
from ingest_assets_tests.faults.embedded_server import supervisor as servers_supervisor
from ingest_assets_tests.system.ingest import Ingest, Ui
from ingest_assets_tests.system.supervised import GUARDIAN, LAUNCHER, PAGE, Up, command, is_true, of_home, start
from ingest_assets_tests.system.test_backfills import start_drain, submit
from ingest_assets_tests.system.test_deployment import NODES
from ingest_assets_tests.waiting import until

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(sys.platform != "linux", reason="processes are looked up as Linux shows them"),
]


@pytest.fixture(scope="module")
def ingest(tmp_path_factory: pytest.TempPathFactory) -> Ingest:
    return Ingest(tmp_path_factory.mktemp("home"), (("INGEST_SILENCE_SECONDS", "8"),))


@pytest.fixture(scope="module")
def up(ingest: Ingest) -> Iterator[Up]:
    running = start(ingest, ingest.home / "messages")
    until(lambda: running.children(LAUNCHER))
    yield running
    if running.process.poll() is None:
        running.end()


def page_works(ui: Ui) -> bool:
    return is_true(lambda: len(ui.query(NODES, keys=[{"path": ["chunks"]}])["assetNodes"]) == 1)


def is_locked(path: Path) -> bool:
    lock = try_exclusive(path)
    if lock is not None:
        lock.release()
    return lock is None


def test_killed_processes_of_dagster_are_started_again_and_up_says_why(ingest: Ingest, up: Up, tmp_path: Path) -> None:
    for word, title, pause in (
        ("dagster-daemon", "The Dagster daemon", 1),
        (PAGE, "The Dagster webserver", 1),
        (LAUNCHER, "The warm launcher", 10),
    ):
        killed = up.child(word)
        killed.kill()
        until(lambda said=f"{title} was killed (SIGKILL); starting it again in {pause} s.": said in up.said)
        up.replaced(word, killed)
    until(lambda: page_works(up.ui))
    assert submit(ingest, tmp_path / "After", 1)


def test_processes_of_dagster_that_stand_still_are_started_again(up: Up) -> None:
    words = ("dagster-daemon", PAGE, LAUNCHER)
    until(lambda: up.said.count("answered") == 0 and page_works(up.ui))
    stopped = {word: up.child(word) for word in words}
    for process in stopped.values():
        process.suspend()
    for word, process in stopped.items():
        up.replaced(word, process)
    assert up.said.count("has not answered for") == len(words)
    until(lambda: page_works(up.ui))


def test_a_page_whose_code_server_is_killed_is_started_again(up: Up) -> None:
    webserver = up.child(PAGE)
    until(lambda: page_works(up.ui))
    [code_server] = until(lambda: [each for each in webserver.children() if "--socket" in command(each)])
    code_server.kill()
    up.replaced(PAGE, webserver)
    until(lambda: page_works(up.ui))


def test_a_killed_database_server_comes_back_without_any_command(up: Up) -> None:
    home = up.home / "ingest"
    server = EmbeddedPostgres(home)
    psutil.Process(postmaster(home)).kill()
    until(lambda: "The database server was killed (SIGKILL); it is started again." in up.said)
    until(lambda: answers(server))
    supervisor, killed = psutil.Process(servers_supervisor(home)), psutil.Process(postmaster(home))
    supervisor.kill()
    killed.kill()
    until(lambda: "The database server's supervisor had ended; both have been started again." in up.said)
    until(lambda: answers(server) and postmaster(home) != killed.pid)


def test_nothing_is_left_of_a_killed_up_and_the_next_one_starts_at_once(ingest: Ingest, up: Up) -> None:
    until(lambda: page_works(up.ui))
    until(lambda: is_true(lambda: start_drain(up.ui)))
    up.child("dagster-daemon").suspend()
    port = urlsplit(up.ui.url).port or 0
    up.process.kill()
    up.process.wait()
    following = start(ingest, up.home / "more messages", port)
    assert urlsplit(following.ui.url).port == port
    began = psutil.Process(following.pid).create_time()
    assert not [command(each) for each in of_home(up.home) if each.create_time() < began]
    assert following.end() == 0
    assert not [command(each) for each in of_home(up.home)]
    assert not [path.name for path in (up.home / "ingest").rglob("*.lock") if is_locked(path)]


def test_a_guardian_that_is_killed_is_replaced(ingest: Ingest, tmp_path: Path) -> None:
    running = start(ingest, tmp_path / "messages")
    guardian = running.child(GUARDIAN)
    guardian.kill()
    running.replaced(GUARDIAN, guardian)
    running.process.send_signal(signal.SIGKILL)
    running.process.wait()
    until(lambda: not of_home(ingest.home))


def test_a_process_that_keeps_dying_ends_everything_aloud(ingest: Ingest, tmp_path: Path) -> None:
    running = start(ingest, tmp_path / "messages")
    killed: set[int] = set()
    while running.process.poll() is None:
        for daemon in running.children("dagster-daemon"):
            if daemon.pid not in killed:
                killed.add(daemon.pid)
                daemon.kill()
    assert running.process.returncode == 1
    last = running.said.strip().splitlines()[-1]
    assert "process_keeps_ending" in last
    assert "dagster/logs/dagster-daemon.log" in last
    until(lambda: not of_home(ingest.home))
