"""Every process of the deployment: whatever descends from this run, orphans included, and what each is for."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from benchmarks.processes import Process, all_processes, below, role_of

PR_SET_CHILD_SUBREAPER = 36
ENDED = "Z"


def adopting_orphans(work: Callable[[], int]) -> int:
    """Do the work in a child, and be the parent of every process that loses its own; none of them outlives this call.

    Returns:
        What the work returns.
    """
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    worker = os.fork()
    if worker == 0:
        os._exit(_flushed(work))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _: os.kill(worker, received))
    status = _reap_until(worker)
    for process in _below(os.getpid()):
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)


def _flushed(work: Callable[[], int]) -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("Stopped."))  # what was mounted is unmounted
    try:
        return work()
    except BaseException:
        sys.excepthook(*sys.exc_info())
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def _reap_until(worker: int) -> int:
    while True:
        with suppress(InterruptedError):
            process, status = os.waitpid(-1, 0)
            if process == worker:
                return status


def _below(root: int) -> list[Process]:
    """Return what descends from a process and has not ended."""
    return [each for each in below(root, all_processes()) if each.pid != root and each.state != ENDED]


def of_deployment() -> dict[int, str]:
    """Return all running processes of the deployment with their roles."""
    this, known = os.getpid(), all_processes()
    parent = os.getppid()
    found = [each for each in below(parent, known) if each.pid not in (parent, this) and each.state != ENDED]
    return {each.pid: _role(each, known) for each in found}


def with_role(role: str) -> list[int]:
    return sorted(pid for pid, each in of_deployment().items() if each == role)


def _role(process: Process, known: dict[int, Process]) -> str:
    role = role_of(process, known)
    if role == "launcher" and process.parent == os.getppid():
        return "run_worker"  # the launcher that it was forked from has ended
    return role


def command_of(pid: int) -> str:
    process = all_processes().get(pid)
    return "(ended)" if process is None else process.command
