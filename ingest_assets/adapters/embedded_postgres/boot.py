"""Bring a server up under a new supervisor, and take down one that has lost its supervisor."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ingest_assets.adapters.embedded_postgres import supervisor
from ingest_assets.adapters.embedded_postgres.identity import CLEAN_ENVIRONMENT
from ingest_assets.adapters.embedded_postgres.placement import place_cluster
from ingest_assets.posix import locks
from ingest_assets.posix.locks import HeldLock
from ingest_assets.posix.private_folders import keep_private

LONG_LOG = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Home:
    folder: Path

    @property
    def log(self) -> Path:
        return self.folder / "postgres.log"

    @property
    def state(self) -> Path:
        return self.folder / "postgres"

    @property
    def cluster(self) -> Path:
        """The cluster's folder, or a link to it."""
        return self.state / "cluster"

    @property
    def users_lock(self) -> Path:
        """The lock that each user shares; a supervisor that finds no user left holds it alone until it ends."""
        return self.state / "users.lock"

    @property
    def supervisor_lock(self) -> Path:
        """The lock of the process in charge of the server: the user that boots it, then its supervisor."""
        return self.state / "supervisor.lock"

    @property
    def server_lock(self) -> Path:
        """The lock of the server's own processes: it is free if none of them is left, even if a stale file remains."""
        return self.state / "server.lock"

    @property
    def deaths(self) -> Path:
        """How each server ended that no user had stopped: an exit code a line, that of SIGQUIT if it gave no answer."""
        return self.state / "deaths"

    def make(self) -> None:
        keep_home_private(self.folder)
        self.state.mkdir(mode=0o711, exist_ok=True)


def keep_home_private(folder: Path) -> None:
    """Make the home unless it exists, and close it, but for the server's own user if that one's data is in it already.

    Raises:
        PermanentError: home_not_private.
        OSError: It cannot be made or closed.
    """
    data = Home(folder).cluster / "data"
    keep_private(folder, passable=data.exists() and data.stat().st_uid != folder.stat().st_uid)


def boot(home: Home, supervisor_lock: HeldLock, patience: float) -> None:
    """Start the server under a new supervisor, which takes over the lock.

    Args:
        home: Where the server's files are.
        supervisor_lock: The lock of whoever is in charge.
        patience: After how many seconds without an answer the supervisor starts the server again.

    Raises:
        OSError: A file or a program cannot be used; the log says more.
        KeyError: A user has no name; the log says more.
        CalledProcessError: A program failed; the log says more.
    """
    _set_aside_long_log(home)
    with _log(home) as log:
        cluster = place_cluster(home.cluster)
        if _runs(home):
            cluster.stop(log)
        cluster.prepare(log)
        locks_and_files = [home.server_lock, home.users_lock, *cluster.process_files, home.deaths]
        subprocess.run(
            [
                sys.executable,
                "-I",
                "-S",
                supervisor.__file__,
                str(patience),
                *map(str, locks_and_files),
                *cluster.command,
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[supervisor_lock.descriptor],
            start_new_session=True,
            env=CLEAN_ENVIRONMENT,
            check=True,
        )


def stop_orphan(home: Home) -> None:
    """Stop a server that has lost its supervisor, if there is one; the caller holds the supervisor's lock."""
    if _runs(home):
        with _log(home) as log:
            place_cluster(home.cluster).stop(log)


def _runs(home: Home) -> bool:
    server_lock = locks.try_exclusive(home.server_lock)
    if server_lock is not None:
        server_lock.release()
    return server_lock is None


def _set_aside_long_log(home: Home) -> None:
    if home.log.exists() and home.log.stat().st_size > LONG_LOG:
        home.log.replace(home.log.with_suffix(".log.old"))


@contextmanager
def _log(home: Home) -> Iterator[int]:
    log = os.open(home.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        yield log
    except (OSError, KeyError, subprocess.CalledProcessError) as problem:
        with suppress(OSError):
            os.write(log, f"{type(problem).__name__}: {problem}\n".encode())
        raise
    finally:
        os.close(log)
