"""Child processes that end with their parent, whatever ends it."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

GRACE_SECONDS = 20
PR_SET_PDEATHSIG = 1


class Processes:
    """Each in a process group of its own, its output in a log of its name."""

    def __init__(self, log_folder: Path) -> None:
        self._log_folder = log_folder
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        with (self._log_folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509  before any thread
            )
        self.started.append(process)
        return process

    def end(self, *processes: subprocess.Popen[bytes]) -> None:
        """Asks them to stop, then stops what is left of each group: a daemon's run workers are in its group."""
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(GRACE_SECONDS)
            _kill_group(process)
            process.wait()
            self.started.remove(process)


@contextmanager
def running(log_folder: Path) -> Iterator[Processes]:
    """Ends all that was started with the block."""
    log_folder.mkdir(parents=True, exist_ok=True)
    processes = Processes(log_folder)
    try:
        yield processes
    finally:
        processes.end(*processes.started)


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return
