"""Folders that are closed to everybody but one user; those for sockets are short enough for a socket's address."""

import hashlib
import os
import re
import stat
from pathlib import Path

from ingest_assets.domain.errors import PermanentError

SHORT_FOLDER = Path("/tmp")  # noqa: S108  its folders are checked to be private
LONGEST_ADDRESS = 103
"""The longest path of a socket, in bytes; Linux allows 107, macOS 103."""
OTHERS = 0o077
"""What anybody but the owner may do."""
PASSING = 0o011
"""To pass through a folder without seeing what is in it."""
PLAIN = re.compile(r"[A-Za-z0-9/._-]+")
"""Paths that need no escaping in a URL."""


def socket_folder(home: Path, name: str, socket: str) -> Path:
    """Return the folder for a socket that belongs to `home`, the same one each time.

    Args:
        home: The folder whose owner the socket serves.
        name: The name of the socket's folder, if it can lie in `home`.
        socket: The file name of the socket.

    Returns:
        The folder `name` in `home`, or one in `/tmp` named after a hash of `home` if the first is too long for a
        socket or would need escaping in a URL.
    """
    inside = home / name
    if PLAIN.fullmatch(str(inside)) and len(str(inside / socket)) <= LONGEST_ADDRESS:
        return inside
    return SHORT_FOLDER / f"ingest-assets-{hashlib.sha256(os.fsencode(home)).hexdigest()[:24]}"


def keep_private(folder: Path, *, passable: bool = False) -> None:
    """Make a folder with all above it unless it exists, and close it to everybody but its owner; so is what is made.

    Args:
        folder: The folder. It belongs to this user; root may also work in somebody else's.
        passable: Whether others may still pass through an existing one, to what they may read below it.

    Raises:
        PermanentError: home_not_private, if it belongs to another user.
        OSError: It cannot be made or closed.
    """
    for each in (*reversed(folder.parents), folder):
        if not each.exists():
            each.mkdir(mode=0o700, exist_ok=True)
    status = folder.stat()
    if os.geteuid() not in (0, status.st_uid):
        raise PermanentError("home_not_private")
    open_to_others = status.st_mode & (OTHERS & ~PASSING if passable else OTHERS)
    if open_to_others:
        folder.chmod(stat.S_IMODE(status.st_mode) & ~open_to_others)


def make_private(folder: Path, owner: int, group: int) -> None:
    """Make the folder unless it exists, and require that only `owner` can enter it.

    Raises:
        PermissionError: Another user made the folder or may enter it.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    else:
        os.chown(folder, owner, group)
    require_private(folder, owner)


def require_private(folder: Path, owner: int) -> None:
    """Raise PermissionError unless only `owner` can enter the folder."""
    if not is_private(folder, owner):
        raise PermissionError(folder)


def is_private(folder: Path, owner: int) -> bool:
    """Return whether the folder exists and only `owner` can enter it."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == owner and not status.st_mode & OTHERS
