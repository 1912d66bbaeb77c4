"""Memory of a deployment's processes, sampled from /proc while it works; elsewhere than on Linux nothing is seen."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

SAMPLE_SECONDS = 0.25
SAMPLES_PER_SEARCH = 4
"""Looking for new processes takes longer than reading what the known ones hold."""
PROC = Path("/proc")
TELLING_ARGUMENTS = 6
"""Of a command line: later ones may hold settings that name anything."""

ROLES = (
    ("execute_run", "run_worker"),
    ("multiprocessing.spawn", "run_worker"),
    ("parsers.sealed.worker", "parser"),
    ("grpc", "code_server"),
    ("launcher", "launcher"),
    ("dagster-daemon", "daemon"),
    ("orchestration.page", "webserver"),
    ("embedded_postgres/supervisor.py", "database_supervisor"),
    ("[local]", "backend"),
    ("bin/postgres", "postmaster"),
    ("/ingest", "ingest"),
)
"""What a command line holds, and what such a process is; the first that fits."""


@dataclass(frozen=True, slots=True)
class Process:
    pid: int
    parent: int
    command: str
    state: str
    """One letter, as in /proc/PID/stat; Z has ended, but nobody has asked how."""


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
    sampler = threading.Thread(target=_watch, args=(memory, root, postmaster, finished), name="memory", daemon=True)
    if PROC.is_dir():
        sampler.start()
    try:
        yield memory
    finally:
        finished.set()
        if sampler.ident is not None:
            sampler.join()


def resident_megabytes() -> float:
    """Of this process; 0 where it cannot be seen."""
    return resident(os.getpid()).get("VmRSS", 0.0)


def _watch(memory: Memory, root: int, postmaster: int, finished: threading.Event) -> None:
    roles: dict[int, str] = {}
    server: list[int] = []
    for sample in count():
        if sample % SAMPLES_PER_SEARCH == 0:
            running = all_processes()
            roles = {process.pid: role_of(process, running) for process in below(root, running)}
            server = [process.pid for process in below(postmaster, running)]
        _note_processes(memory, roles)
        _note_server(memory, server)
        if finished.wait(SAMPLE_SECONDS):
            return


def _note_processes(memory: Memory, roles: Mapping[int, str]) -> None:
    now = time.time()
    for pid, role in roles.items():
        status = resident(pid)
        if "VmRSS" in status:
            memory.peaks[role] = max(memory.peaks[role], status["VmHWM"])
            memory.resident[pid].append((now, status["VmRSS"]))


def _note_server(memory: Memory, pids: list[int]) -> None:
    statuses = [resident(pid) for pid in pids]
    own = sum(status.get("RssAnon", 0) for status in statuses)
    shared = max((status.get("RssShmem", 0) for status in statuses), default=0)
    memory.peaks["postgres"] = max(memory.peaks["postgres"], own + shared)


def all_processes() -> dict[int, Process]:
    """Return all processes of this machine."""
    found = {}
    for folder in PROC.iterdir():
        with suppress(OSError, ValueError):
            pid = int(folder.name)
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
            arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
            found[pid] = Process(pid, int(parent), " ".join(arguments[:TELLING_ARGUMENTS]), state)
    return found


def below(root: int, running: Mapping[int, Process]) -> Iterator[Process]:
    """The process and all that descend from it."""
    if root in running:
        yield running[root]
    for process in list(running.values()):
        if process.parent == root:
            yield from below(process.pid, running)


def role_of(process: Process, running: Mapping[int, Process]) -> str:
    """Return what the process is in a deployment, or `other`."""
    parent = running.get(process.parent)
    if parent is not None and parent.command == process.command and "launcher" in process.command:
        return "run_worker"  # a fork of the warm launcher
    return next((role for sign, role in ROLES if sign in process.command), "other")


def resident(pid: int) -> dict[str, float]:
    """Return of /proc/PID/status whatever is in kB, in MB; nothing if the process has ended."""
    with suppress(OSError):
        lines = [line.split() for line in (PROC / str(pid) / "status").read_text().splitlines()]
        return {words[0].rstrip(":"): int(words[1]) / 1024 for words in lines if words[-1] == "kB"}
    return {}
