"""Memory of a deployment's processes, sampled from /proc while it works; elsewhere than on Linux nothing is seen."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_SECONDS = 0.25
PROC = Path("/proc")

ROLES = (
    ("postgres", "postgres"),
    ("parsers.worker", "parser"),
    ("execute_run", "run_worker"),
    ("execute_step", "run_worker"),
    ("launcher", "launcher"),
    ("grpc", "code_server"),
    ("dagster-daemon", "daemon"),
    ("dagster-webserver", "webserver"),
    ("ingest", "ingest"),
)
"""What a command line holds, and what such a process is; the first that fits."""


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    parent: int
    command: str


@dataclass(slots=True)
class Memory:
    """What was seen so far, in MB."""

    peaks: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Of the largest process of each role; `postgres` is all of the server, its shared memory counted once."""
    resident: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    """By process: when, and how much then."""

    def growth(self, pid: int, since: float) -> float:
        """From `since` to the end of the process."""
        samples = self.resident[pid]
        later = [megabytes for when, megabytes in samples if when >= since] or [samples[-1][1]]
        return later[-1] - later[0]

    def peak(self, pid: int) -> float:
        return max(megabytes for _, megabytes in self.resident[pid])


@contextmanager
def watched(root: int, postmaster: int) -> Iterator[Memory]:
    """Samples the process `root`, the Postgres server and all below both while the block runs."""
    memory, finished = Memory(), threading.Event()

    def sample() -> None:
        while PROC.is_dir() and not finished.wait(SAMPLE_SECONDS):
            _sample(memory, root, postmaster)

    sampler = threading.Thread(target=sample, name="memory", daemon=True)
    sampler.start()
    try:
        yield memory
    finally:
        finished.set()
        sampler.join()


def _sample(memory: Memory, root: int, postmaster: int) -> None:
    now, running = time.time(), _running()
    server = [_status(process.pid) for process in _below(postmaster, running)]
    for process in _below(root, running):
        status = _status(process.pid)
        if "VmRSS" in status:
            role = _role(process, running)
            memory.peaks[role] = max(memory.peaks[role], status["VmHWM"])
            memory.resident[process.pid].append((now, status["VmRSS"]))
    own = sum(status.get("RssAnon", 0) for status in server)
    shared = max((status.get("RssShmem", 0) for status in server), default=0)
    memory.peaks["postgres"] = max(memory.peaks["postgres"], own + shared)


def _running() -> dict[int, Process]:
    found = {}
    for folder in PROC.iterdir():
        with suppress(OSError, ValueError):
            pid = int(folder.name)
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            found[pid] = Process(pid, int(parent), command)
    return found


def _below(root: int, running: Mapping[int, Process]) -> Iterator[Process]:
    """The process and all that descend from it."""
    if root in running:
        yield running[root]
    for process in list(running.values()):
        if process.parent == root:
            yield from _below(process.pid, running)


def _role(process: Process, running: Mapping[int, Process]) -> str:
    parent = running.get(process.parent)
    if parent is not None and parent.command == process.command and "launcher" in process.command:
        return "run_worker"  # a fork of the warm launcher
    return next((role for sign, role in ROLES if sign in process.command), "other")


def _status(pid: int) -> dict[str, float]:
    """Of /proc/PID/status whatever is in kB, in MB; nothing where the process has ended."""
    with suppress(OSError):
        lines = [line.split() for line in (PROC / str(pid) / "status").read_text().splitlines()]
        return {words[0].rstrip(":"): int(words[1]) / 1024 for words in lines if words[-1] == "kB"}
    return {}


def resident_megabytes() -> float:
    """Of this process; 0 where it cannot be seen."""
    return _status(os.getpid()).get("VmRSS", 0.0)
