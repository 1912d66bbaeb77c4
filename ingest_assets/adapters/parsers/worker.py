"""The program that reads untrusted files: `python -I -m ingest_assets.adapters.parsers.worker LIMITS PARENT`.

Requests come in on standard input, replies go out on standard output; see `frames`. It imports nothing that could
reach a database or a network, and confines itself before it reads the first byte.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

from ingest_assets.adapters.parsers.frames import read_frame, write_frame
from ingest_assets.adapters.parsers.limits import ParserLimits
from ingest_assets.adapters.parsers.refusals import RefusedError
from ingest_assets.domain.file_types import FileType

PR_SET_PDEATHSIG = 1
CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
RU_MAXRSS_SHIFT = 20 if sys.platform == "darwin" else 10
LONGEST_REQUEST = 1 << 32
MOST_FILE_BYTES = 1 << 20


def main() -> None:
    limits = ParserLimits(**json.loads(sys.argv[1]))
    replies = _own_output()
    _leave_network()
    _die_with_parent(int(sys.argv[2]))
    _confine(limits)
    while request := _request():
        header, content = request
        reply, text = _answer(content, FileType(header["media_type"]), limits)
        write_frame(replies, reply | {"resident_mb": _peak_resident_mb()}, text)
    os._exit(0)  # an orderly end takes the interpreter from under xberg's threads, which then abort


def _peak_resident_mb() -> int:
    """Linux keeps a parent's ru_maxrss across exec: there, only the process's own high-water mark is this program's."""
    if sys.platform == "linux":
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) >> 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> RU_MAXRSS_SHIFT


def _request() -> tuple[dict[str, Any], bytes] | None:
    try:
        return read_frame(sys.stdin.buffer, LONGEST_REQUEST)
    except EOFError:
        return None


def _own_output() -> BinaryIO:
    """A library that prints must not write into the protocol."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return replies


def _leave_network() -> None:
    """Where Linux lets a process do so: no parser has anything to fetch."""
    if sys.platform == "linux":
        user = 0 if os.geteuid() == 0 else CLONE_NEWUSER
        ctypes.CDLL(None).unshare(user | CLONE_NEWNET)


def _die_with_parent(parent: int) -> None:
    """Where Linux offers it; elsewhere the end of standard input stops the worker after its document."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()


def _confine(limits: ParserLimits) -> None:
    """Processes are not limited: that limit counts a user's threads, whoever started them."""
    _limit(resource.RLIMIT_AS, limits.memory_mb << 20)
    _limit(resource.RLIMIT_FSIZE, MOST_FILE_BYTES)
    _limit(resource.RLIMIT_CORE, 0)


def _allow_processor(seconds: float) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(usage.ru_utime + usage.ru_stime + seconds) + 1)


def _limit(kind: int, amount: int) -> None:
    _, ceiling = resource.getrlimit(kind)
    within = amount if ceiling == resource.RLIM_INFINITY else min(amount, ceiling)
    resource.setrlimit(kind, (within, ceiling))


def _answer(content: bytes, kind: FileType, limits: ParserLimits) -> tuple[dict[str, Any], bytes]:
    from ingest_assets.adapters.parsers.extraction import extract  # noqa: PLC0415  (only now is the memory limited)

    _allow_processor(limits.seconds)
    try:
        text, page_starts = extract(content, kind, limits)
    except RefusedError as refused:
        return {"code": refused.code, "facts": refused.facts}, b""
    except MemoryError:
        return {"code": "out_of_memory", "facts": {"megabytes": limits.memory_mb}}, b""
    return {"page_starts": page_starts}, text.encode()


if __name__ == "__main__":
    main()
