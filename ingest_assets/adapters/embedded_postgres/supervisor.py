"""Run the server for as long as any process uses it. This is its own program, with only the standard library.

It holds the supervisor's lock while it lives; the server's processes hold the server's lock between them. When no
process shares the users' lock any more, or its file is gone, the supervisor stops the server. It restarts a server
that was killed or does not answer, and notes how each one ended.
"""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.1
SHUTDOWN_SECONDS = 60
ASK_SECONDS = 1
QUIT_SECONDS = 10
"""How long a server that does not answer may take to end its processes."""
MOST_KILLED_STARTS = 5
"""So often in a row a server may be killed before it is ready."""
SSL_REQUEST = bytes.fromhex("0000000804d2162f")
"""The shortest question that the server answers, to anybody and in any state."""


@dataclass(frozen=True, slots=True)
class Server:
    lock_path: str
    postmaster_file: str
    socket_file: str
    deaths_file: str
    command: Sequence[str]

    def start(self) -> subprocess.Popen[bytes]:
        """Start the server once no process of an earlier one is left: process ids in its files may be in use again."""
        lock = os.open(self.lock_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for file in (self.postmaster_file, self.socket_file):
                Path(file).unlink(missing_ok=True)
            return subprocess.Popen(self.command, stdin=subprocess.DEVNULL, pass_fds=[lock])
        finally:
            os.close(lock)

    def is_ready(self) -> bool:
        return self._status() == b"ready"

    def is_stopping(self) -> bool:
        """Return whether somebody told the server to stop; it then waits for its clients, who may never leave."""
        return self._status() == b"stopping"

    def _status(self) -> bytes:
        try:
            return Path(self.postmaster_file).read_bytes().rstrip().rpartition(b"\n")[2]
        except FileNotFoundError:
            return b""

    def answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
            connection.settimeout(ASK_SECONDS)
            connection.connect(self.socket_file.removesuffix(".lock"))
            connection.sendall(SSL_REQUEST)
            return bool(connection.recv(1))
        return False

    def note_death(self, code: int) -> None:
        with suppress(OSError), Path(self.deaths_file).open("a") as file:
            file.write(f"{code}\n")


class Silence:
    """For how many seconds a server has given no answer; time in which this process stood still does not count."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._asked_at = time.monotonic()

    def ask(self, server: Server) -> None:
        """Ask the server, if it is time."""
        if time.monotonic() - self._asked_at < ASK_SECONDS:
            return
        answered, passed = server.answers(), time.monotonic() - self._asked_at
        self.seconds = 0.0 if answered else self.seconds + min(passed, 3 * ASK_SECONDS)
        self._asked_at = time.monotonic()


class Users:
    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def have_left(self) -> bool:
        """Return whether no user is left; once true, new users wait until this process has ended."""
        try:
            if not os.path.samestat(Path(self.path).stat(), os.fstat(self.lock)):
                return True
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return True
        except BlockingIOError:
            return False
        return True


def supervise(server: Server, users: Users, patience: float) -> int:
    """Run the server until its users have left, and return its exit code.

    Args:
        server: The server, which is started.
        users: Those for whom it runs.
        patience: After how many seconds without an answer the server is killed.
    """
    process, silence, killed_starts = server.start(), Silence(), 0
    try:
        while not users.have_left():
            code = quit_at_once(process) if silence.seconds > patience else process.poll()
            if code is not None:
                server.note_death(code)
                killed_starts = 0 if server.is_ready() else killed_starts + 1
                if code >= 0 or killed_starts == MOST_KILLED_STARTS:
                    return code
                process, silence = server.start(), Silence()
            if server.is_stopping():
                process.send_signal(signal.SIGINT)
            silence.ask(server)
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        pass
    return stop(process)


def quit_at_once(process: subprocess.Popen[bytes]) -> int:
    """End a server that does not answer, which first ends its processes if it can, and return a code that says so."""
    process.send_signal(signal.SIGQUIT)
    process.send_signal(signal.SIGCONT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(QUIT_SECONDS)
    process.kill()
    process.wait()
    return -signal.SIGQUIT


def stop(process: subprocess.Popen[bytes]) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(SHUTDOWN_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        return process.wait()


def main(patience: str, *rest: str) -> None:
    """Supervise in a child, which no process waits for; the process that was started returns at once."""
    server_lock, users_lock, postmaster_file, socket_file, deaths_file, *command = rest
    if os.fork() == 0:
        os.chdir("/")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        server = Server(server_lock, postmaster_file, socket_file, deaths_file, command)
        code = supervise(server, Users(users_lock), float(patience))
        with suppress(OSError):
            Path(socket_file).parent.rmdir()
        sys.exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
