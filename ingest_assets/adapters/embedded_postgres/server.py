"""The users' side: keep a hold on the server while it is needed, and do whatever it takes to have it running."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from urllib.parse import quote

from psycopg.pq import PGconn, Ping

from ingest_assets.adapters.embedded_postgres.boot import Home, boot, stop_orphan
from ingest_assets.adapters.embedded_postgres.configuration import PORT
from ingest_assets.adapters.embedded_postgres.sockets import socket_folder
from ingest_assets.domain.errors import PermanentError
from ingest_assets.posix import locks
from ingest_assets.posix.locks import HeldLock
from ingest_assets.posix.private_folders import is_private

START_SECONDS = 300
"""Recovery after a crash may have to replay a log of several GB."""
STOP_SECONDS = 60
ANSWER_SECONDS = 5
PATIENCE_SECONDS = 60
"""After how many seconds without an answer a server is started again."""
MOST_BOOTS = 3
"""A server that is killed while it starts is no reason to give up."""
POLL_SECONDS = 0.02


class EmbeddedPostgres:
    """One server below `home` for all processes that use it at the same time.

    A process that ends without `stop` also gives up its hold, however it ends. Children made by a fork share their
    parent's hold until they end; their `stop` does nothing.
    """

    def __init__(self, home: Path, patience: float = PATIENCE_SECONDS) -> None:
        self._home = Home(home.absolute())
        self._patience = patience
        self._hold: HeldLock | None = None
        self._one_at_a_time = threading.Lock()

    @property
    def log_path(self) -> Path:
        return self._home.log

    def url(self, database: str = "ingest") -> str:
        """Return the address of a database, which stays the same when the server restarts."""
        folder = socket_folder(self._home.cluster.resolve())
        return f"postgresql://postgres@:{PORT}/{quote(database, safe='')}?host={folder}"

    def start(self) -> None:
        """Start the server and return once it answers; the call may be repeated at any time.

        Raises:
            PermanentError: database_start_failed.
        """
        with self._one_at_a_time:
            try:
                self._home.make()
                self._take_hold()
                self._wait_for_answer()
            except (OSError, KeyError, subprocess.CalledProcessError):
                self._give_up_hold()
                raise PermanentError("database_start_failed") from None

    def revive(self) -> bool:
        """Start the server again if nobody is in charge of it, and return whether this was so.

        Raises:
            PermanentError: database_start_failed.
        """
        supervisor_lock = locks.try_exclusive(self._home.supervisor_lock)
        if supervisor_lock is None:
            return False
        supervisor_lock.release()
        self.start()
        return True

    def deaths(self) -> list[int]:
        """Return the exit codes of servers that no user had stopped, the last one last."""
        try:
            return [int(line) for line in self._home.deaths.read_text().splitlines()]
        except (OSError, ValueError):
            return []

    def stop(self) -> None:
        """Give up the hold and return once the server has stopped, or at once if others use it."""
        with self._one_at_a_time, suppress(OSError, KeyError):
            if self._hold is not None and self._hold.is_ours:
                self._give_up_hold()
                self._wait_for_end()

    def __enter__(self) -> "EmbeddedPostgres":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _take_hold(self) -> None:
        if self._hold is not None and self._hold.is_ours and self._hold.protects_its_path:
            return
        self._give_up_hold()
        for _ in _attempts(START_SECONDS):
            self._hold = locks.try_shared(self._home.users_lock)
            if self._hold is not None:
                return
        raise TimeoutError

    def _give_up_hold(self) -> None:
        if self._hold is not None:
            self._hold.release()
            self._hold = None

    def _wait_for_answer(self) -> None:
        boots = 0
        for _ in _attempts(START_SECONDS):
            supervisor_lock = locks.try_exclusive(self._home.supervisor_lock)
            if supervisor_lock is None:
                if self._answers():
                    return
                continue
            try:
                if boots == MOST_BOOTS:
                    raise ChildProcessError
                boot(self._home, supervisor_lock, self._patience)
                boots += 1
            finally:
                supervisor_lock.release()
        raise TimeoutError

    def _answers(self) -> bool:
        """Return whether the server answers; nothing is sent to a socket that another user may have put there."""
        cluster = self._home.cluster.resolve()
        try:
            owner = (cluster / "data").stat().st_uid
        except FileNotFoundError:
            return False
        question = f"{self.url('postgres')}&connect_timeout={ANSWER_SECONDS}"
        return is_private(socket_folder(cluster), owner) and PGconn.ping(question.encode()) == Ping.OK

    def _wait_for_end(self) -> None:
        for _ in _attempts(STOP_SECONDS):
            if self._is_used_by_others():
                return
            supervisor_lock = locks.try_exclusive(self._home.supervisor_lock)
            if supervisor_lock is not None:
                try:
                    stop_orphan(self._home)
                finally:
                    supervisor_lock.release()
                return

    def _is_used_by_others(self) -> bool:
        """Return whether others use the server.

        If the lock can be neither shared nor taken, a supervisor holds it and is stopping the server.
        """
        exclusive = locks.try_exclusive(self._home.users_lock)
        shared = locks.try_shared(self._home.users_lock) if exclusive is None else None
        for lock in (exclusive, shared):
            if lock is not None:
                lock.release()
        return shared is not None


def _attempts(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(POLL_SECONDS)
