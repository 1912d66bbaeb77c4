"""The program that reads untrusted files: `python -I -m ingest_assets.adapters.parsers.sealed.worker LIMITS PARENT`.

Requests come in on standard input, and replies go out on standard output; see `frames`. The program imports nothing
that could reach a database or a network, and confines itself before it reads the first byte. By then it has loaded
everything that it will need; if the system allows, it can no longer open files, sockets or processes.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

from ingest_assets.adapters.parsers.sealed.frames import read_frame, write_frame
from ingest_assets.adapters.parsers.sealed.isolation import (
    become_nobody_else,
    drop_capabilities,
    leave_namespaces,
    limit_threads,
    lock_files,
)
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.adapters.parsers.sealed.refusals import RefusedError
from ingest_assets.adapters.parsers.sealed.seals import Seal
from ingest_assets.adapters.parsers.sealed.system_calls import filter_system_calls
from ingest_assets.domain.documents.warnings import counted
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.posix.parent_death import end_with_parent

RU_MAXRSS_SHIFT = 20 if sys.platform == "darwin" else 10
LONGEST_REQUEST = 1 << 32
NICENESS = 4
"""Of a worker that recognises text: documents that have their text go first."""
MOST_FILE_BYTES = 1 << 20


def main() -> None:
    """Serve requests until the input ends, and then end at once.

    In an orderly exit, the interpreter would end before the threads of xberg, which then abort or hang.
    """
    try:
        _serve()
    except BaseException as failure:
        _say_last_words(failure)
        os._exit(1)
    os._exit(0)


def _say_last_words(failure: BaseException) -> None:
    """Print the failure's kind, which the parent looks for; a traceback might take memory that is not there."""
    os.write(sys.stderr.fileno(), type(failure).__name__.encode())


def _serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # like any other signal, it ends the process and shows in its status
    limits = ParserLimits(**json.loads(sys.argv[1]))
    replies = _own_output()
    status = _Status()
    seals = _sealed(limits, int(sys.argv[2]), status)
    while request := _request():
        header, content = request
        _allow_processor(limits.longest)
        reply, text = _answer(header, content, limits)
        write_frame(replies, reply | {"resident_mb": status.peak_resident_mb(), "seals": seals}, text)


def _sealed(limits: ParserLimits, parent: int, status: "_Status") -> list[Seal]:
    """Give up all that the worker will not need; return what the system makes of it.

    What counts for each thread comes before there are more of them.
    """
    held = {Seal.NAMESPACES: leave_namespaces()}
    end_with_parent(signal.SIGKILL, parent)  # except on Linux, the end of its input stops it
    _confine(limits)
    _load()
    if limits.ocr_folder:
        _load_recogniser(limits)
    held[Seal.USER] = become_nobody_else()
    drop_capabilities()
    end_with_parent(signal.SIGKILL, parent)  # again, because another user's parent is another matter to Linux
    held[Seal.LANDLOCK] = lock_files()
    _start_threads()
    held[Seal.THREADS] = limit_threads(status.threads)
    held[Seal.FILTER] = filter_system_calls()
    return [seal for seal, holds in held.items() if holds]


def _load() -> None:
    """Load the libraries within the limits, and whatever else is a file."""
    # only now, when the limits of memory hold for it
    from ingest_assets.adapters.parsers.sealed import cutting  # noqa: F401, PLC0415
    from ingest_assets.adapters.parsers.sealed.extraction import load  # noqa: PLC0415

    load()


def _load_recogniser(limits: ParserLimits) -> None:
    from ingest_assets.adapters.parsers.sealed.extraction import RECOGNISERS  # noqa: PLC0415  (see _load)
    from ingest_assets.adapters.parsers.sealed.tesseract import Tesseract  # noqa: PLC0415  (see _load)

    RECOGNISERS.append(Tesseract(limits))
    os.nice(NICENESS)


def _start_threads() -> None:
    from ingest_assets.adapters.parsers.sealed.extraction import start_threads  # noqa: PLC0415  (see _load)

    start_threads()


class _Status:
    """What the system says of this process, in a file that stays open, because later nothing can be opened."""

    def __init__(self) -> None:
        self._file = Path("/proc/self/status").open() if sys.platform == "linux" else None  # noqa: SIM115

    def peak_resident_mb(self) -> int:
        """Return the peak of memory; on Linux, ru_maxrss would keep the parent's peak across exec."""
        if self._file is None:
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> RU_MAXRSS_SHIFT
        return self._figure("VmHWM:") >> 10

    def threads(self) -> int:
        return self._figure("Threads:")

    def _figure(self, name: str) -> int:
        if self._file is None:
            return 0
        self._file.seek(0)
        return next(int(line.split()[1]) for line in self._file if line.startswith(name))


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


def _confine(limits: ParserLimits) -> None:
    """Set the limits, except the one on threads: see `limit_threads`."""
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
    from ingest_assets.adapters.parsers.sealed.cutting import cut  # noqa: PLC0415  (see _load)
    from ingest_assets.adapters.parsers.sealed.extraction import count_pages, extract  # noqa: PLC0415  (see _load)

    try:
        if "cuts" in header:
            count, cuts = cut(content, header["cuts"], header["page_starts"])
            return {"cuts": count}, cuts
        if "counts_pages" in header:
            return {"pages": count_pages(content)}, b""
        found = extract(content, FileType(header["media_type"]), limits)
    except RefusedError as refused:
        return {"code": refused.code, "pages": refused.pages}, b""
    except PermanentError as problem:
        return {"code": problem.code}, b""
    except MemoryError:
        return {"code": "out_of_memory"}, b""
    reply = {
        "page_starts": found.page_starts,
        "warnings": counted(found.warnings),
        "attachments": [[each.path, len(each.content)] for each in found.attachments],
    }
    return reply, b"".join([found.text.encode(), *(each.content for each in found.attachments)])


if __name__ == "__main__":
    main()
