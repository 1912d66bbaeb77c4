"""A process that forks for each run it is asked to launch, and watches the fork until it ends.

It has one thread and opens no connection, so that forks inherit neither held locks nor connections in use.
"""

import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from ingest_assets.orchestration.warm_launcher.children import Children
from ingest_assets.orchestration.warm_launcher.requests import LARGEST_REQUEST, NO, YES, Request
from ingest_assets.orchestration.warm_launcher.sockets import forget

GRACE_SECONDS = 15
"""How long runs may take to end after the server is told to stop."""
REPORT_SECONDS = 3
"""How long it may take to report the runs that had to be killed."""
REQUEST_SECONDS = 1
"""How long a request may take to arrive after somebody has connected."""


class Server:
    """Serves until a signal stops it, then interrupts its runs and finally kills them."""

    def __init__(self, listener: socket.socket, path: Path, may_launch: Callable[[], bool]) -> None:
        self._listener = listener
        self._path = path
        self._may_launch = may_launch
        self._children = Children(self._leave)
        self._alarm, self._alarmer = socket.socketpair()
        self._connection: socket.socket | None = None
        self._deadline: float | None = None

    def serve(self) -> None:
        self._hear_signals()
        while self._deadline is None or self._children:
            for ready in wait([self._listener, self._alarm, *self._children.sentinels], self._patience()):
                self._attend_to(ready)
            if self._patience() == 0:
                self._children.kill()
                self._deadline = time.monotonic() + REPORT_SECONDS
        forget(self._path)

    def _attend_to(self, ready: Any) -> None:
        if ready is self._listener:
            self._answer()
        elif ready is self._alarm:
            self._alarm.recv(1)
            self._stop()
        else:
            self._children.reap(ready)

    def _answer(self) -> None:
        self._connection, _ = self._listener.accept()
        # The client may have gone, or may send nonsense.
        with self._connection as connection, suppress(OSError, ValueError, TypeError):
            connection.settimeout(REQUEST_SECONDS)
            request = Request.of(connection.recv(LARGEST_REQUEST))
            has_gone = wait([connection], 0)  # the only thing left to read is the connection's end
            if not has_gone:
                connection.send(YES if self._do(request) else NO)

    def _do(self, request: Request) -> bool:
        process = self._children.find(request.run_id)
        if request.verb == "launch":
            return process is not None or self._launch(request)
        if request.verb == "interrupt" and process is not None:
            process.terminate()
        return process is not None

    def _launch(self, request: Request) -> bool:
        if self._deadline is not None or not self._may_launch():
            return False
        self._children.execute(request)
        return True

    def _stop(self) -> None:
        """Begin to stop. Another signal neither speeds this up nor delays it."""
        if self._deadline is None:
            self._deadline = time.monotonic() + GRACE_SECONDS
            self._children.interrupt()

    def _patience(self) -> float | None:
        return None if self._deadline is None else max(0, self._deadline - time.monotonic())

    def _hear_signals(self) -> None:
        """Make signals wake the loop without interrupting it."""
        self._alarmer.settimeout(0)
        signal.set_wakeup_fd(self._alarmer.fileno())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)

    def _leave(self) -> None:
        """Make a child let go of the server's sockets and signal handlers."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        for each in (self._listener, self._connection, self._alarm, self._alarmer):
            if each is not None:
                each.close()
