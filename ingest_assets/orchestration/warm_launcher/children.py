"""The runs' processes: forks of this process, which waits for each of them."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.context import ForkProcess

from ingest_assets.orchestration.warm_launcher.requests import Request
from ingest_assets.orchestration.warm_launcher.run_process import execute_run, report_death

FORK = get_context("fork")


@dataclass(frozen=True)
class Child:
    """A forked process."""

    process: ForkProcess
    launch: Request
    executes: bool
    """Whether it executes the run; if not, it reports the death of a child that did."""


class Children:
    """All forked processes. Each one first calls `leave` to let go of what belongs only to the server."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave = leave
        self._children: dict[int, Child] = {}

    def __bool__(self) -> bool:
        return bool(self._children)

    @property
    def sentinels(self) -> list[int]:
        """Return a file descriptor for each child; it becomes readable when the child ends."""
        return list(self._children)

    def execute(self, launch: Request) -> None:
        """Fork a process for the run.

        Raises:
            OSError: There is no room for another process.
        """
        process = FORK.Process(target=self._execute, args=(launch, os.getpid()), name=launch.run_id)
        self._start(Child(process, launch, executes=True))

    def find(self, run_id: str) -> ForkProcess | None:
        """Return the process that executes the run, or None."""
        return next((each.process for each in self._executing() if each.launch.run_id == run_id), None)

    def interrupt(self) -> None:
        """Ask all runs to stop, without waiting for them."""
        for child in self._executing():
            child.process.terminate()

    def kill(self) -> None:
        """Kill all children."""
        for child in self._children.values():
            child.process.kill()

    def reap(self, sentinel: int) -> None:
        """Forget a child that has ended.

        A run that did not end well may not have said so: another process reports it.
        """
        child = self._children.pop(sentinel)
        child.process.join()
        code = child.process.exitcode
        child.process.close()
        if child.executes and code:
            process = FORK.Process(target=self._report, args=(child.launch, code))
            with suppress(OSError):  # if no process can be started, run monitoring finds out
                self._start(Child(process, child.launch, executes=False))

    def _executing(self) -> list[Child]:
        return [child for child in self._children.values() if child.executes]

    def _start(self, child: Child) -> None:
        with signals_blocked():
            child.process.start()
        self._children[child.process.sentinel] = child

    def _execute(self, launch: Request, server: int) -> None:
        self._leave()
        execute_run(launch.run_id, launch.instance, server)

    def _report(self, launch: Request, exit_code: int) -> None:
        self._leave()
        report_death(launch.run_id, launch.instance, exit_code)


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Block signals, also in processes forked during the block, until they can be handled there."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
