"""A worker process seen from outside: it takes one document at a time and is killed at its limits."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from threading import Lock, Timer
from typing import Any, BinaryIO, TypeVar, cast

from ingest_assets.adapters.parsers.replies import Reply, checked_reply, whole_number
from ingest_assets.adapters.parsers.sealed.frames import read_frame, write_frame
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.domain.errors import IngestError, TransientError
from ingest_assets.posix.processes import kill_group

COMMAND = (sys.executable, "-I", "-m", "ingest_assets.adapters.parsers.sealed.worker")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent", "TMPDIR": "/nonexistent"}
ENVIRONMENT |= {"MALLOC_ARENA_MAX": "2"}  # each arena takes 64 MB of the address space
NEEDED_TO_START = {"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"}
OUT_OF_MEMORY_SIGNS = (b"memory allocation of", b"MemoryError", b"bad_alloc", b"Cannot allocate memory")
LAST_WORDS = 4096
HEADER_BYTES = 1 << 20
UTF8_BYTES = 4
SECONDS_TO_END = 1

T = TypeVar("T")


class Worker:
    """A worker process; it serves one caller at a time."""

    def __init__(self, limits: ParserLimits, command: Sequence[str] = COMMAND) -> None:
        self._limits = limits
        self._served = 0
        self._expired = False
        self._busy = False
        self._resident_mb = 0
        self.sealed = False
        """Whether the last reply said that the worker can no longer open anything."""
        self._ending = Lock()
        self._last_words = tempfile.TemporaryFile()  # noqa: SIM115  (`stop` closes it)
        self._process = subprocess.Popen(
            [*command, json.dumps(asdict(limits)), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._last_words,
            cwd="/",
            env=ENVIRONMENT | {name: value for name, value in os.environ.items() if name in NEEDED_TO_START},
            start_new_session=True,
        )
        self._requests = cast("BinaryIO", self._process.stdin)
        self._replies = cast("BinaryIO", self._process.stdout)

    @property
    def is_fit(self) -> bool:
        """Whether the worker may take another document."""
        return (
            not (self._busy or self._expired or self._has_ended())
            and self._served < self._limits.documents_per_worker
            and self._resident_mb <= self._limits.resident_mb
        )

    def ask(self, content: bytes, media_type: str) -> Reply:
        """Have a document parsed.

        Raises:
            IngestError: The error that the worker names.
            TransientError: timeout, out_of_memory or parser_crashed.
        """
        reply = self._checked(
            {"media_type": media_type}, content, lambda header, body: checked_reply(header, body, self._limits)
        )
        if isinstance(reply, IngestError):
            raise reply
        return reply

    def count_pages(self, content: bytes) -> int:
        """Return the number of pages of a PDF, or 0 if it cannot be opened.

        Raises:
            TransientError: timeout, out_of_memory or parser_crashed.
        """
        return self._checked({"counts_pages": True}, content, lambda header, _: whole_number(header.get("pages")))

    def _checked(self, request: dict[str, Any], content: bytes, check: Callable[[dict[str, Any], bytes], T]) -> T:
        self._busy = True
        self._served += 1
        try:
            with self._deadline():
                header, body = self._exchange(request, content)
            self._resident_mb = whole_number(header.get("resident_mb"))
            self.sealed = header.get("sealed") is True
            checked = check(header, body)
        except (EOFError, OSError):
            raise self._post_mortem() from None
        except ValueError:
            raise TransientError("parser_crashed") from None
        self._busy = False
        return checked

    def stop(self) -> None:
        self._kill()
        with self._ending:
            self._process.wait()
        for stream in (self._requests, self._replies, self._last_words):
            with suppress(OSError):  # a worker that has ended reads nothing more
                stream.close()

    def _exchange(self, request: dict[str, Any], content: bytes) -> tuple[dict[str, Any], bytes]:
        write_frame(self._requests, request, content)
        return read_frame(self._replies, self._limits.output_bytes * UTF8_BYTES + HEADER_BYTES)

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        timer = Timer(self._limits.seconds, self._expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _expire(self) -> None:
        self._expired = True
        self._kill()

    def _kill(self) -> None:
        """Kill the worker and its children, but not once it was waited for: another process may have its id by then."""
        with self._ending:
            if self._process.returncode is None:
                kill_group(self._process.pid)

    def _has_ended(self) -> bool:
        with self._ending:
            return self._process.poll() is not None

    def _post_mortem(self) -> TransientError:
        status = self._status_soon()
        if self._expired or status == -signal.SIGXCPU:
            return TransientError("timeout", seconds=self._limits.seconds)
        if status == -signal.SIGKILL or self._ran_out_of_memory():
            return TransientError("out_of_memory", megabytes=self._limits.memory_mb)
        return TransientError("parser_crashed")

    def _status_soon(self) -> int | None:
        with self._ending, suppress(subprocess.TimeoutExpired):
            return self._process.wait(SECONDS_TO_END)
        return None

    def _ran_out_of_memory(self) -> bool:
        self._last_words.seek(0)
        last_words = self._last_words.read()[-LAST_WORDS:]
        return any(sign in last_words for sign in OUT_OF_MEMORY_SIGNS)
