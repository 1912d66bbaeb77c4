"""The folder of the server's socket: whoever can reach it is let in, so nobody else may."""

import hashlib
import os
import re
import stat
from pathlib import Path

from ingest_assets.adapters.embedded_postgres.configuration import PORT

SHORT_FOLDER = Path("/tmp")  # noqa: S108  what lies in it is checked to be private
SOCKET = f".s.PGSQL.{PORT}"
LONGEST_PATH = 103
"""Bytes; Linux allows 107, macOS 103."""


def socket_folder(cluster_folder: Path) -> Path:
    """Below the cluster's folder where that is short enough for a socket and needs no escaping in a URL."""
    inside = cluster_folder / "socket"
    if re.fullmatch(r"[A-Za-z0-9/._-]+", str(inside)) and len(str(inside / SOCKET)) <= LONGEST_PATH:
        return inside
    return SHORT_FOLDER / f"ingest-assets-{hashlib.sha256(os.fsencode(cluster_folder)).hexdigest()[:24]}"


def make_private(folder: Path, owner: int, group: int) -> None:
    """Raises PermissionError where somebody else has made it, or may enter it."""
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        os.chown(folder, owner, group)
    if not is_private(folder, owner):
        raise PermissionError(folder)


def is_private(folder: Path, owner: int) -> bool:
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == owner and not status.st_mode & 0o077
