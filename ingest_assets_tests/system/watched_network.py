"""A `sitecustomize` for every Python process of a deployment: whoever would leave this machine is refused, and noted.

It sees what goes through Python's own sockets, as every client library here does; not what native code does by itself.
"""

from pathlib import Path

SITECUSTOMIZE = """
import os, sys

LOCAL = {"127.0.0.1", "::1", "localhost", "", None}

def note(line):
    handle = os.open(os.environ["NETWORK_NOTES"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(handle, (line + "\\n").encode())
    os.close(handle)

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        host = arguments[1][0] if isinstance(arguments[1], tuple) else None
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0].decode() if isinstance(arguments[0], bytes) else arguments[0]
    else:
        return
    if host not in LOCAL:
        note(f"{event} {host} {sys.argv}")
        raise ConnectionRefusedError("this process may not leave the machine")

note(f"started {os.path.basename(sys.argv[0] if sys.argv else '')} {sys.orig_argv[1:4]}")
sys.addaudithook(watch)
"""


class WatchedNetwork:
    def __init__(self, folder: Path) -> None:
        self._folder = folder / "site"
        self._folder.mkdir()
        (self._folder / "sitecustomize.py").write_text(SITECUSTOMIZE)
        self._notes = folder / "notes"

    @property
    def environment(self) -> tuple[tuple[str, str], ...]:
        return (("PYTHONPATH", str(self._folder)), ("NETWORK_NOTES", str(self._notes)))

    @property
    def watched(self) -> str:
        """Which processes it was in."""
        return "\n".join(line for line in self._lines if line.startswith("started"))

    @property
    def attempts(self) -> list[str]:
        """Who would have gone where."""
        return [line for line in self._lines if not line.startswith("started")]

    @property
    def _lines(self) -> list[str]:
        return self._notes.read_text().splitlines()
