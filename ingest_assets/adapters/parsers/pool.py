"""A pool of warm workers, because starting one takes longer than parsing most documents."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore

from ingest_assets.adapters.parsers.sandbox import Worker
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits


class WorkerPool:
    """A pool with up to `limits.workers` at work; further callers wait.

    Heavy documents leave one worker to light ones, unless it is the only one.
    """

    def __init__(self, limits: ParserLimits) -> None:
        self._limits = limits
        self._begin()

    @contextmanager
    def borrow(self, *, heavy: bool = False) -> Iterator[Worker]:
        if os.getpid() != self._process:
            self._begin()
        with self._heavy_slots if heavy else nullcontext(), self._slots:
            worker = self._idle_worker() or self._spawner.submit(Worker, self._limits).result()
            try:
                yield worker
            finally:
                self._give_back(worker)

    def close(self) -> None:
        """End the idle workers; a worker in use ends with its document."""
        self._closed = True
        while worker := self._idle_worker():
            worker.stop()
        self._spawner.shutdown()

    def _begin(self) -> None:
        """Start afresh, also in a forked process, which must not talk to the workers of its parent."""
        self._process = os.getpid()
        self._closed = False
        self._idle: SimpleQueue[Worker] = SimpleQueue()
        self._slots = BoundedSemaphore(self._limits.workers)
        self._heavy_slots = BoundedSemaphore(max(1, self._limits.workers - 1))
        # Linux kills a worker when the thread that started it ends, so a thread that outlives all callers starts them.
        self._spawner = ThreadPoolExecutor(1, thread_name_prefix="parser")

    def _idle_worker(self) -> Worker | None:
        while True:
            try:
                worker = self._idle.get_nowait()
            except Empty:
                return None
            if worker.is_fit:
                return worker
            worker.stop()

    def _give_back(self, worker: Worker) -> None:
        if worker.is_fit and not self._closed:
            self._idle.put(worker)
        else:
            worker.stop()
