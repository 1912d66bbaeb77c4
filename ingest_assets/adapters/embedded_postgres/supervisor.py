"""Run the server for as long as any process uses it. This is its own program, with only the standard library.

It holds the supervisor's lock while it lives; the server's processes hold the server's lock between them. When no
process shares the users' lock any more, or its file is gone, the supervisor stops the server. It restarts a server
that was killed.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.1
SHUTDOWN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Server:
    lock_path: str
    postmaster_file: str
    socket_file: str
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

    def was_killed(self, code: int) -> bool:
        """Return whether a signal killed the server after it was ready.

        A server that is killed while it starts would be killed again.
        """
        try:
            return code < 0 and Path(self.postmaster_file).read_bytes().rstrip().endswith(b"ready")
        except FileNotFoundError:
            return False


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


def supervise(server: Server, users: Users) -> int:
    """Run the server until its users have left, and return its exit code."""
    process = server.start()
    try:
        while not users.have_left():
            code = process.poll()
            if code is not None:
                if not server.was_killed(code):
                    return code
                process = server.start()
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        pass
    return stop(process)


def stop(process: subprocess.Popen[bytes]) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    process.send_signal(signal.SIGINT)
    try:
        return process.wait(SHUTDOWN_SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGQUIT)
        return process.wait()


def main(server_lock: str, users_lock: str, postmaster_file: str, socket_file: str, *command: str) -> None:
    """Supervise in a child, which no process waits for; the process that was started returns at once."""
    if os.fork() == 0:
        os.chdir("/")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        code = supervise(Server(server_lock, postmaster_file, socket_file, command), Users(users_lock))
        with suppress(OSError):
            Path(socket_file).parent.rmdir()
        sys.exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
