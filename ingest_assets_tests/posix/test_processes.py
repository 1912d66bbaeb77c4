"""Processes that end with those that started them, and groups that end as a whole."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from ingest_assets.domain.errors import PermanentError
from ingest_assets.posix.locks import try_exclusive
from ingest_assets.posix.processes import kill_group, running
from ingest_assets_tests.waiting import until

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
PARENT = """
import sys, time
from pathlib import Path
from ingest_assets.posix.processes import running
with running(Path(sys.argv[1])) as processes:
    print(processes.start("child", sys.argv[2:]).pid, flush=True)
    time.sleep(600)
"""
FAMILY = "import subprocess, sys; c = subprocess.Popen(sys.argv[1:]); print(c.pid, flush=True); c.wait()"
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")


def has_ended(process: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(process).status() == psutil.STATUS_ZOMBIE)
    return True


@contextmanager
def started(*command: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process in a group of its own, and the child that it names."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            yield process, child
        finally:
            kill_group(process.pid)


@LINUX
def test_a_child_ends_with_a_killed_parent(tmp_path: Path) -> None:
    with started(sys.executable, "-c", PARENT, str(tmp_path), *SLEEP) as (parent, child):
        parent.kill()
        until(lambda: has_ended(child))


def test_children_end_with_the_block_that_started_them(tmp_path: Path) -> None:
    with running(tmp_path / "logs") as processes:
        child = processes.start("sleeping", SLEEP)
    assert child.returncode == -signal.SIGTERM
    assert (tmp_path / "logs" / "sleeping.log").exists()


def test_a_killed_member_with_much_memory_is_gone_when_the_block_ends(tmp_path: Path) -> None:
    large = "import time; held = bytearray(10**9); print('held', flush=True); time.sleep(600)"
    log = tmp_path / "logs" / "family.log"
    with running(tmp_path / "logs") as processes:
        processes.start("family", [sys.executable, "-c", FAMILY, sys.executable, "-c", large])
        until(lambda: "held" in log.read_text())
        member = int(log.read_text().split()[0])
    assert has_ended(member)


def test_processes_of_an_earlier_start_that_do_not_end_are_named_as_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest_assets.posix.processes.GUARDIAN_SECONDS", 0)
    lock = try_exclusive(tmp_path / "guardian.lock")
    assert lock is not None
    with pytest.raises(PermanentError) as raised, running(tmp_path):
        pass
    lock.release()
    assert raised.value.code == "processes_linger"


def test_a_group_is_killed_with_all_its_members_and_may_be_gone_already() -> None:
    with started(sys.executable, "-c", FAMILY, *SLEEP) as (leader, member):
        kill_group(leader.pid)
        leader.wait()
        until(lambda: has_ended(member))
        kill_group(leader.pid)


def test_a_process_whose_parent_is_gone_already_does_not_begin() -> None:
    program = "from ingest_assets.posix.parent_death import end_with_parent as end; end(15, -1); print('began')"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, "")


def test_a_process_that_is_told_to_stop_is_interrupted() -> None:
    program = """
import os, signal
from ingest_assets.posix.signals import stop_on_signals
signal.signal(signal.SIGINT, signal.SIG_IGN)
stop_on_signals()
for number in (signal.SIGTERM, signal.SIGINT):
    try:
        os.kill(os.getpid(), number)
    except KeyboardInterrupt:
        print(number.name)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stdout.split() == ["SIGTERM", "SIGINT"]
