"""Child processes in groups of their own, which end with their parent, however it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from ingest_assets.posix.parent_death import end_with_parent

GRACE_SECONDS = 20


class Processes:
    """Child processes, each in its own process group and with its own log."""

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a process, which gets SIGTERM if this one ends."""
        follow = partial(end_with_parent, signal.SIGTERM, os.getpid())
        with (self._log_folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=follow if sys.platform == "linux" else None,  # noqa: PLW1509  no thread runs yet
            )
        self.started.append(process)
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


@contextmanager
def running(log_folder: Path) -> Iterator[Processes]:
    """Yield a place to start processes; all of them end with the block."""
    log_folder.mkdir(parents=True, exist_ok=True)
    processes = Processes(log_folder)
    try:
        yield processes
    finally:
        processes.end(*processes.started)


def kill_group(leader: int) -> None:
    """Kill a process and its whole group; do nothing if none of them is left."""
    with suppress(ProcessLookupError, PermissionError):  # macOS denies permission if only zombies are left
        os.killpg(leader, signal.SIGKILL)
