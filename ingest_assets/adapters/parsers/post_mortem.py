"""Why a worker process ended: only what the evidence shows, because the reason decides what becomes of a document."""

import signal
from collections.abc import Collection
from dataclasses import dataclass

from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.domain.errors import TransientError

OUT_OF_MEMORY_SIGNS = (b"memory allocation of", b"MemoryError", b"bad_alloc", b"Cannot allocate memory")
OWN_FAULTS: Collection[int] = frozenset(
    {signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGSYS, signal.SIGTRAP}
)
"""Signals that a process brings upon itself; all others come from outside."""


@dataclass(frozen=True, slots=True)
class Remains:
    """What is left of a worker whose reply did not come."""

    status: int | None
    """The exit status, negative for a signal; None if the worker has closed its output but not ended."""
    expired: bool
    """Whether the parent killed it at the limit of time."""
    stopped: bool
    """Whether it stood still then, because somebody had stopped it."""
    oom_kills: int
    """How many processes around it the kernel has killed for want of memory since its document came."""
    last_words: bytes
    """The end of what it printed about its last document."""


def cause_of_death(remains: Remains, limits: ParserLimits) -> TransientError:
    """Return the error of the catalogue for the document that the worker had.

    A signal from outside is no evidence about memory: the limit of the address space makes allocations fail within the
    worker, which then says so, and the kernel counts those that it kills for want of memory.
    """
    status = remains.status or 0
    if remains.stopped:
        return TransientError("parser_killed", signal=signal.SIGSTOP.value)
    if remains.expired or status == -signal.SIGXCPU:
        return TransientError("timeout", seconds=limits.longest)
    if status == -signal.SIGKILL and remains.oom_kills > 0:
        return TransientError("host_out_of_memory")
    if status < 0 and -status not in OWN_FAULTS:
        return TransientError("parser_killed", signal=-status)
    if any(sign in remains.last_words for sign in OUT_OF_MEMORY_SIGNS):
        return TransientError("out_of_memory", megabytes=limits.memory_mb)
    return TransientError("parser_crashed")
