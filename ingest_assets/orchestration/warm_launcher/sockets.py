"""Where launcher and server meet: a socket in a private folder, because anyone who reaches it can start processes."""

import os
import socket
from contextlib import suppress
from pathlib import Path

from ingest_assets.posix.private_folders import make_private, require_private, socket_folder

SOCKET = "runs"
REQUEST_SECONDS = 10
BACKLOG = 64


def socket_path(dagster_home: Path) -> Path:
    """Return where the warm server of this Dagster home listens."""
    return socket_folder(dagster_home, "warm_launcher", SOCKET) / SOCKET


def listen(path: Path) -> socket.socket:
    """Return a socket that only this user can reach.

    Raises:
        PermissionError: The folder belongs to somebody else, or others may enter it.
        FileExistsError: Another server is listening.
    """
    make_private(path.parent, os.geteuid(), os.getegid())
    if _somebody_listens(path):
        raise FileExistsError(path)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(BACKLOG)
    return listener


def forget(path: Path) -> None:
    """Remove the socket with its folder."""
    with suppress(OSError):
        path.unlink()
        path.parent.rmdir()


def connect(path: Path) -> socket.socket:
    """Return a connection to the server.

    Raises:
        OSError: No server of this user is listening.
    """
    require_private(path.parent, os.geteuid())
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
