"""Processes that use an embedded server, and what can be seen of the server from outside."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.posix.locks import try_exclusive

PATIENCE_SECONDS = 120
UNPRIVILEGED = 65534
USE = """
import sys
from pathlib import Path
from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.domain.errors import IngestError

try:
    with EmbeddedPostgres(Path(sys.argv[1])) as server:
        print("started", server.url(), flush=True)
        sys.stdin.read()
except IngestError as error:
    print(error.code, flush=True)
"""


class User:
    """A process of its own that holds the server until it is told to leave, or killed."""

    def __init__(self, home: Path, *, python: Sequence[str] = (sys.executable,)) -> None:
        self.process = subprocess.Popen(
            [*python, "-c", USE, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            start_new_session=True,
        )

    def __enter__(self) -> "User":
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def says(self) -> list[str]:
        """`started` and the server's URL, or the code of the error; waits for it."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().split()

    def leave(self) -> None:
        """Returns once the process has ended."""
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        self.process.kill()
        self.leave()

    def kill_with_children(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.leave()


def python_of_user(user_id: int) -> list[str] | None:
    """For root: how to run Python as that user; None where the user can reach no interpreter or not this project."""
    become = ["setpriv", f"--reuid={user_id}", f"--regid={user_id}", "--clear-groups", "--"]
    path = os.pathsep.join([str(Path(__file__).parents[2]), *filter(None, sys.path)])
    for interpreter in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        command = [*become, "env", f"PYTHONPATH={path}", interpreter]
        check = [*command, "-c", "import psycopg, ingest_assets.domain.errors"]
        if subprocess.run(check, capture_output=True, cwd="/", check=False).returncode == 0:
            return command
    return None


def eventually(holds: Callable[[], bool]) -> bool:
    """Waits for it; false where it does not come true at all."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (true := holds()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return true


def cluster(home: Path) -> Path:
    return (home / "postgres" / "cluster").resolve()


def postmaster(home: Path) -> int:
    return int((cluster(home) / "data" / "postmaster.pid").read_text().split("\n")[0])


def supervisor(home: Path) -> int:
    return int(psutil.Process(postmaster(home)).ppid())


def is_running(home: Path) -> bool:
    """Whether any process of the server is left."""
    return _is_locked(home / "postgres" / "server.lock")


def is_supervised(home: Path) -> bool:
    return _is_locked(home / "postgres" / "supervisor.lock")


def _is_locked(path: Path) -> bool:
    lock = try_exclusive(path)
    if lock is not None:
        lock.release()
    return lock is None


def answers(server: EmbeddedPostgres) -> bool:
    try:
        psycopg.connect(server.url()).close()
    except psycopg.OperationalError:
        return False
    return True


def kill(process_id: int) -> None:
    os.kill(process_id, signal.SIGKILL)


def remember(server: EmbeddedPostgres, word: str) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS memory (word text)")
        connection.execute("INSERT INTO memory VALUES (%s)", [word])


def remembered(server: EmbeddedPostgres) -> list[str]:
    with psycopg.connect(server.url()) as connection:
        return [word for (word,) in connection.execute("SELECT word FROM memory ORDER BY word").fetchall()]
