"""A worker process seen from outside: it takes one document at a time and is killed at its limits."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from math import ceil
from threading import Event, Lock, Thread
from typing import Any, BinaryIO, TypeVar, cast

from ingest_assets.adapters.parsers.post_mortem import Remains, cause_of_death
from ingest_assets.adapters.parsers.replies import (
    MOST_MEGABYTES,
    Reply,
    checked_cuts,
    checked_pages,
    checked_reply,
    checked_seals,
    whole_number,
)
from ingest_assets.adapters.parsers.sealed.frames import read_frame, write_frame
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.adapters.parsers.sealed.seals import Seal
from ingest_assets.domain.documents.attachments import MOST_BYTES
from ingest_assets.domain.errors import IngestError, TransientError
from ingest_assets.domain.files.file_types import CONTAINERS
from ingest_assets.domain.text.chunking import ChunkingSettings, Cut
from ingest_assets.posix.oom_kills import oom_kills as counted_oom_kills
from ingest_assets.posix.processes import is_stopped, kill_group

COMMAND = (sys.executable, "-I", "-m", "ingest_assets.adapters.parsers.sealed.worker")
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent", "TMPDIR": "/nonexistent"}
ENVIRONMENT |= {"MALLOC_ARENA_MAX": "2"}  # each arena takes 64 MB of the address space
ENVIRONMENT |= {"OMP_THREAD_LIMIT": "1"}  # Tesseract's threads cost more than they save
NEEDED_TO_START = {"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"}
LAST_WORDS = 4096
SECONDS_TO_END = 1
LONGEST_GLANCE = 1.0
"""In seconds. The limit of time is counted in glances, so that it does not pass while this process stands still."""

T = TypeVar("T")


class Worker:
    """A worker process; it serves one caller at a time."""

    def __init__(
        self,
        limits: ParserLimits,
        command: Sequence[str] = COMMAND,
        oom_kills: Callable[[], int | None] = counted_oom_kills,
    ) -> None:
        self._limits = limits
        self._oom_kills = oom_kills
        self._oom_kills_before: int | None = None
        self._served = 0
        self._expired = False
        self._stopped = False
        self._busy = False
        self._resident_mb = 0
        self.seals: frozenset[Seal] = frozenset()
        """What keeps it from the rest of the system, as its last reply said."""
        self._ending = Lock()
        self._last_words = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  (`stop` closes it)
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

    def ask(self, content: bytes, media_type: str, seconds: float | None = None) -> Reply:
        """Have a document parsed, within `seconds` or, by default, the limit of the worker.

        Raises:
            IngestError: The error that the worker names.
            TransientError: timeout, out_of_memory, host_out_of_memory, parser_killed or parser_crashed.
        """
        reply = self._checked(
            {"media_type": media_type},
            content,
            lambda header, body: checked_reply(header, body, self._limits, self._in_time),
            seconds,
        )
        if isinstance(reply, IngestError):
            raise reply
        return reply

    def cut(self, text: str, settings: ChunkingSettings, page_starts: Sequence[int] = ()) -> list[Cut]:
        """Have a text cut into chunks.

        Raises:
            TransientError: timeout, out_of_memory, host_out_of_memory, parser_killed or parser_crashed.
        """
        cuts = self._checked(
            {"cuts": asdict(settings), "page_starts": list(page_starts)},
            text.encode(),
            lambda header, body: checked_cuts(
                header, body, text, settings, self._limits, self._in_time, len(page_starts)
            ),
        )
        if isinstance(cuts, IngestError):
            raise cuts
        return cuts

    def count_pages(self, content: bytes) -> int:
        """Return the number of pages of a PDF, or 0 if it cannot be opened.

        Raises:
            TransientError: timeout, out_of_memory, host_out_of_memory, parser_killed or parser_crashed.
        """
        return self._checked({"counts_pages": True}, content, lambda header, _: checked_pages(header))

    def _checked(
        self,
        request: dict[str, Any],
        content: bytes,
        check: Callable[[dict[str, Any], bytes], T],
        seconds: float | None = None,
    ) -> T:
        self._busy = True
        self._served += 1
        self._forget_last_words()
        self._oom_kills_before = self._oom_kills()
        try:
            with self._deadline(seconds or self._limits.longest):
                header, body = self._exchange(request, content)
                self._resident_mb = whole_number(header.get("resident_mb"), MOST_MEGABYTES)
                self.seals = checked_seals(header)
                checked = check(header, body)
        except (EOFError, OSError):
            raise self._post_mortem() from None
        except ValueError:
            self._kill()
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
        attached = MOST_BYTES if request.get("media_type") in CONTAINERS else 0
        return read_frame(self._replies, self._limits.output_bytes + attached)

    def _in_time(self) -> None:
        if self._expired:
            raise TimeoutError

    @contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        finished = Event()
        Thread(target=self._expire_unless, args=(finished, seconds), daemon=True).start()
        try:
            yield
        finally:
            finished.set()

    def _expire_unless(self, finished: Event, seconds: float) -> None:
        glances = ceil(seconds / LONGEST_GLANCE)
        if any(finished.wait(seconds / glances) for _ in range(glances)):
            return
        self._expired = True
        with self._ending:
            self._stopped = self._process.returncode is None and is_stopped(self._process.pid)
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
        kills = 0 if self._oom_kills_before is None else (self._oom_kills() or 0) - self._oom_kills_before
        remains = Remains(status, self._expired, self._stopped, kills, self._heard_last_words())
        return cause_of_death(remains, self._limits)

    def _status_soon(self) -> int | None:
        with self._ending, suppress(subprocess.TimeoutExpired):
            return self._process.wait(SECONDS_TO_END)
        return None

    def _heard_last_words(self) -> bytes:
        file = self._last_words.fileno()
        return os.pread(file, LAST_WORDS, max(0, os.fstat(file).st_size - LAST_WORDS))

    def _forget_last_words(self) -> None:
        """Begin the file anew, in which both processes share one place: the worker waits and prints nothing now."""
        self._last_words.seek(0)
        self._last_words.truncate()
