"""The program that reads untrusted files: `python -I -m ingest_assets.adapters.parsers.sealed.worker LIMITS PARENT`.

Requests come in on standard input, and replies go out on standard output; see `frames`. The program imports nothing
that could reach a database or a network, and confines itself before it reads the first byte. By then it has loaded
everything that it will need; if the system allows, it can no longer open files, sockets or processes.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from ingest_assets.adapters.parsers.sealed.frames import read_frame, write_frame
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.adapters.parsers.sealed.refusals import RefusedError
from ingest_assets.adapters.parsers.sealed.system_calls import drop_capabilities, refuse_the_outside
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.posix.parent_death import end_with_parent

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
RU_MAXRSS_SHIFT = 20 if sys.platform == "darwin" else 10
LONGEST_REQUEST = 1 << 32
MOST_FILE_BYTES = 1 << 20


def main() -> None:
    limits = ParserLimits(**json.loads(sys.argv[1]))
    replies = _own_output()
    peak_resident_mb = _memory_meter()
    _leave_network()
    end_with_parent(signal.SIGKILL, int(sys.argv[2]))  # except on Linux, the end of its input stops it
    _confine(limits)
    _load()
    sealed = refuse_the_outside()
    while request := _request():
        header, content = request
        _allow_processor(limits.seconds)
        reply, text = _answer(header, content, limits)
        write_frame(replies, reply | {"resident_mb": peak_resident_mb(), "sealed": sealed}, text)
    os._exit(0)  # an orderly exit ends the interpreter first, and then the threads of xberg abort


def _load() -> None:
    """Load the libraries within the limits, and without capabilities, before there are threads that would keep them."""
    # only now, when the limits of memory and processes hold for it
    from ingest_assets.adapters.parsers.sealed.extraction import warm_up  # noqa: PLC0415

    drop_capabilities()
    warm_up()


def _memory_meter() -> Callable[[], int]:
    """Return a function that gives the peak of this program's memory.

    On Linux, ru_maxrss keeps the parent's peak across exec; the high-water mark in /proc is this program's own.
    """
    if sys.platform != "linux":
        return lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> RU_MAXRSS_SHIFT
    status = Path("/proc/self/status").open()  # noqa: SIM115  (stays open, because later nothing can be opened)

    def peak_resident_mb() -> int:
        status.seek(0)
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) >> 10

    return peak_resident_mb


def _request() -> tuple[dict[str, Any], bytes] | None:
    try:
        return read_frame(sys.stdin.buffer, LONGEST_REQUEST)
    except EOFError:
        return None


def _own_output() -> BinaryIO:
    """Return the stream for replies; a library that prints must not write into the protocol."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return replies


def _leave_network() -> None:
    """Leave the network, if Linux allows it: no parser has anything to fetch."""
    if sys.platform == "linux":
        user = 0 if os.geteuid() == 0 else CLONE_NEWUSER
        ctypes.CDLL(None).unshare(user | CLONE_NEWNET)


def _confine(limits: ParserLimits) -> None:
    """Set the limits, except one on processes: the system would count all of the user's threads."""
    for kind, amount in (
        (resource.RLIMIT_AS, limits.memory_mb << 20),
        (resource.RLIMIT_FSIZE, MOST_FILE_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        most = _within(kind, amount)
        resource.setrlimit(kind, (most, most))


def _allow_processor(seconds: float) -> None:
    """Allow so much processor time from now on; it counts anew for each document, so the limit must stay raisable."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(usage.ru_utime + usage.ru_stime + seconds) + 1
    _, ceiling = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (_within(resource.RLIMIT_CPU, allowed), ceiling))


def _within(kind: int, amount: int) -> int:
    _, ceiling = resource.getrlimit(kind)
    return amount if ceiling == resource.RLIM_INFINITY else min(amount, ceiling)


def _answer(header: dict[str, Any], content: bytes, limits: ParserLimits) -> tuple[dict[str, Any], bytes]:
    from ingest_assets.adapters.parsers.sealed.extraction import count_pages, extract  # noqa: PLC0415  (see _load)

    try:
        if "counts_pages" in header:
            return {"pages": count_pages(content)}, b""
        text, page_starts = extract(content, FileType(header["media_type"]), limits)
    except RefusedError as refused:
        return {"code": refused.code, "pages": refused.pages}, b""
    except PermanentError as problem:
        return {"code": problem.code}, b""
    except MemoryError:
        return {"code": "out_of_memory"}, b""
    return {"page_starts": page_starts}, text.encode()


if __name__ == "__main__":
    main()
