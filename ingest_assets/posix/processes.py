"""Child processes in groups of their own, which end with their parent, however it ends.

If the parent is killed, the kernel tells each child so (on Linux), and a guardian ends what is left of their groups.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ingest_assets.domain.errors import PermanentError
from ingest_assets.posix import guardian
from ingest_assets.posix.locks import HeldLock, try_exclusive
from ingest_assets.posix.parent_death import following

GRACE_SECONDS = 20
GUARDIAN_SECONDS = 3 * guardian.GRACE_SECONDS
"""How long the guardian of an earlier parent may take to end that one's processes."""
POLL_SECONDS = 0.05


class Processes:
    """Child processes, each in its own process group and with its own log."""

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self._groups: set[int] = set()
        self._guardian: subprocess.Popen[str] | None = None
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a process, which gets SIGTERM if the calling thread ends."""
        with (self._log_folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                following(command), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.started.append(process)
        self._groups.add(process.pid)
        self.guard()
        self._tell(process.pid)
        return process

    def end(self, *processes: subprocess.Popen[bytes]) -> None:
        """Ask processes to stop, then kill what is left of their groups, such as the run workers of a daemon."""
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
            kill_group(process.pid)
            process.wait()
            self.started.remove(process)
            self._await_end(process.pid)

    def leave(self, process: subprocess.Popen[bytes]) -> None:
        """Let what is left of an ended process's group go on until `end_all`."""
        self.started.remove(process)

    def end_all(self) -> None:
        """End all processes, and whatever is left of those that ended before."""
        self.end(*self.started)
        for group in list(self._groups):
            self.kill_rest(group)
        if self._guardian is not None:
            self._guardian.communicate()

    def kill_rest(self, group: int) -> None:
        """Kill what is left of an ended process's group, and wait until it is gone."""
        kill_group(group)
        self._await_end(group)

    def _await_end(self, group: int) -> None:
        guardian.await_end({group})
        self._forget(group)

    def guard(self) -> None:
        """Start the guardian, unless it is there, and forget groups of which nothing is left."""
        for group in self._groups - {process.pid for process in self.started}:
            if not guardian.exists(group):
                self._forget(group)
        if self._guardian is not None and self._guardian.poll() is None:
            return
        lock = _guardians_lock(self._log_folder)
        self._guardian = subprocess.Popen(
            [sys.executable, "-I", "-S", guardian.__file__],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=[lock.descriptor],
        )
        lock.release()
        for group in self._groups:
            self._tell(group)

    def _forget(self, group: int) -> None:
        """Forget a group before its number can belong to somebody else."""
        self._groups.discard(group)
        self._tell(-group)

    def _tell(self, number: int) -> None:
        if self._guardian is not None and self._guardian.stdin is not None:
            with suppress(BrokenPipeError):  # the next guardian hears everything
                self._guardian.stdin.write(f"{number}\n")
                self._guardian.stdin.flush()


@contextmanager
def running(log_folder: Path) -> Iterator[Processes]:
    """Yield a place to start processes; all of them end with the block.

    Processes of an earlier parent that was killed have ended before.
    """
    log_folder.mkdir(parents=True, exist_ok=True)
    _guardians_lock(log_folder).release()
    processes = Processes(log_folder)
    try:
        yield processes
    finally:
        processes.end_all()


def _guardians_lock(folder: Path) -> HeldLock:
    """Return the lock that a guardian holds while it lives.

    Raises:
        PermanentError: code processes_linger, if an earlier guardian does not end.
    """
    deadline = time.monotonic() + GUARDIAN_SECONDS
    while True:
        lock = try_exclusive(folder / "guardian.lock")
        if lock is not None:
            return lock
        if time.monotonic() > deadline:
            raise PermanentError("processes_linger", seconds=GUARDIAN_SECONDS)
        time.sleep(POLL_SECONDS)


def kill_group(leader: int) -> None:
    """Kill a process and its whole group; do nothing if none of them is left."""
    guardian.send({leader}, signal.SIGKILL)


def is_stopped(child: int) -> bool:
    """Return whether a child of this process stands still because of a signal such as SIGSTOP.

    Where the system cannot tell, it counts as running.
    """
    if sys.platform != "linux":
        return False
    with suppress(ChildProcessError):
        return os.waitid(os.P_PID, child, os.WSTOPPED | os.WNOHANG | os.WNOWAIT) is not None
    return False
