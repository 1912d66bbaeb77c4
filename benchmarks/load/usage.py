"""What each kind of process uses: processor time and memory, sampled from /proc while the load runs; Linux only."""

import os
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from statistics import median
from time import time

from benchmarks.processes import PROC, all_processes, below, resident, role_of

SAMPLE_SECONDS = 2.0
SHARED_PAGES_EVERY = 5
"""Samples; counting shared pages takes the kernel a while."""
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
WORKER = "run_worker"
ENDED = "Z"
"""The state of a process that only waits for its parent to notice: nothing tells any more what it was."""


@dataclass(frozen=True, slots=True)
class Sample:
    at: float
    value: float


@dataclass(slots=True)
class Usage:
    """What was seen so far."""

    cpu: dict[tuple[str, int], list[Sample]] = field(default_factory=lambda: defaultdict(list))
    """By kind and process: the processor seconds that it had used."""
    memory: dict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    """By kind, in MB: what its largest process had resident; Postgres is one, with its shared memory counted once."""
    busy: list[Sample] = field(default_factory=list)
    """The processor seconds that the whole machine had used, with everything that others do on it."""
    worker_pss: float = 0.0
    """The most of a worker, where pages that processes share are divided among them."""

    def cpu_seconds(self, begin: float, end: float) -> dict[str, float]:
        """Return the processor seconds of each kind within this time; of a short process what its samples saw."""
        used: dict[str, float] = defaultdict(float)
        for (kind, _), samples in self.cpu.items():
            within = [sample.value for sample in samples if begin <= sample.at <= end]
            if within:
                began_within = samples[0].at >= begin
                used[kind] += within[-1] - (0.0 if began_within else within[0])
        return dict(used)

    def busy_seconds(self, begin: float, end: float) -> float:
        """Return the processor seconds of the whole machine within this time."""
        within = [sample.value for sample in self.busy if begin <= sample.at <= end]
        return within[-1] - within[0] if within else 0.0

    def largest(self, kind: str, begin: float = 0.0) -> float:
        """Return the most that a process of this kind had resident since `begin`, in MB."""
        return max((sample.value for sample in self.memory.get(kind, []) if sample.at >= begin), default=0.0)

    def growth(self, begin: float, end: float) -> dict[str, float]:
        """Return by kind by how many MB the last third of this time exceeds the first, in medians."""
        third = (end - begin) / 3
        grown = {}
        for kind, samples in self.memory.items():
            early = [sample.value for sample in samples if begin <= sample.at <= begin + third]
            late = [sample.value for sample in samples if end - third <= sample.at <= end]
            if early and late:
                grown[kind] = median(late) - median(early)
        return grown


@contextmanager
def watched_usage(roots: Mapping[str, int]) -> Iterator[Usage]:
    """Sample the processes of these ids, and all below them, while the block runs.

    A root named "deployment" or "postgres" has processes of several kinds below it; all below another are of its kind.
    """
    usage, finished = Usage(), threading.Event()
    watcher = threading.Thread(target=_watch, args=(usage, roots, finished), name="usage", daemon=True)
    if PROC.is_dir():
        watcher.start()
    try:
        yield usage
    finally:
        finished.set()
        if watcher.ident is not None:
            watcher.join()


def _watch(usage: Usage, roots: Mapping[str, int], finished: threading.Event) -> None:
    samples = 0
    while not finished.wait(SAMPLE_SECONDS):
        kinds = _kinds(roots)
        now = time()
        _note_cpu(usage, kinds, now)
        _note_machine(usage, now)
        _note_memory(usage, kinds, now)
        if samples % SHARED_PAGES_EVERY == 0:
            workers = [pid for pid, kind in kinds.items() if kind == WORKER]
            usage.worker_pss = max([usage.worker_pss, *map(_proportional, workers)])
        samples += 1


def _kinds(roots: Mapping[str, int]) -> dict[int, str]:
    running = all_processes()
    kinds = {}
    for name, root in roots.items():
        for process in below(root, running):
            if process.state == ENDED:
                continue
            if name == "deployment":
                kinds[process.pid] = role_of(process, running)
            else:
                kinds[process.pid] = name
    return kinds


def _note_cpu(usage: Usage, kinds: Mapping[int, str], now: float) -> None:
    for pid, kind in kinds.items():
        with suppress(OSError, IndexError, ValueError):
            words = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
            usage.cpu[kind, pid].append(Sample(now, (int(words[11]) + int(words[12])) / TICKS_PER_SECOND))


def _note_machine(usage: Usage, now: float) -> None:
    with suppress(OSError, ValueError):
        user, nice, system, _, _, interrupts, soft = map(int, (PROC / "stat").read_text().split()[1:8])
        usage.busy.append(Sample(now, (user + nice + system + interrupts + soft) / TICKS_PER_SECOND))


def _note_memory(usage: Usage, kinds: Mapping[int, str], now: float) -> None:
    largest: dict[str, float] = defaultdict(float)
    own = shared = 0.0
    for pid, kind in kinds.items():
        status = resident(pid)
        if kind == "postgres":
            own, shared = own + status.get("RssAnon", 0.0), max(shared, status.get("RssShmem", 0.0))
            largest[kind] = own + shared
        else:
            largest[kind] = max(largest[kind], status.get("VmRSS", 0.0))
    for kind, megabytes in largest.items():
        usage.memory[kind].append(Sample(now, megabytes))


def _proportional(pid: int) -> float:
    with suppress(OSError):
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0
