"""Where launcher and server meet: a socket in a private folder, since whoever reaches it starts processes."""

import hashlib
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

SHORT_FOLDER = Path("/tmp")  # noqa: S108  what lies in it is checked to be private
SOCKET = "runs"
LONGEST_PATH = 107
"""Bytes, on Linux."""
REQUEST_SECONDS = 10
BACKLOG = 64


def socket_path(dagster_home: Path) -> Path:
    """Below the home where that is short enough for a socket."""
    inside = dagster_home / "warm_launcher" / SOCKET
    if len(os.fsencode(inside)) <= LONGEST_PATH:
        return inside
    return SHORT_FOLDER / f"ingest-assets-{hashlib.sha256(os.fsencode(dagster_home)).hexdigest()[:24]}" / SOCKET


def listen(path: Path) -> socket.socket:
    """Raises PermissionError where the folder is somebody else's, FileExistsError where another server listens."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    _require_private(path.parent)
    if _somebody_listens(path):
        raise FileExistsError(path)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(BACKLOG)
    return listener


def forget(path: Path) -> None:
    """Leaves nothing behind."""
    with suppress(OSError):
        path.unlink()
        path.parent.rmdir()


def connect(path: Path) -> socket.socket:
    """Raises OSError where no server of this user listens."""
    _require_private(path.parent)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    connection.settimeout(REQUEST_SECONDS)
    try:
        connection.connect(str(path))
    except OSError:
        connection.close()
        raise
    return connection


def _somebody_listens(path: Path) -> bool:
    try:
        connect(path).close()
    except OSError:
        return False
    return True


def _require_private(folder: Path) -> None:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise PermissionError(folder)
