"""The names that a home keeps: of a deployment that nobody has named, made once, and of its present start."""

import hashlib
import os
import re
import socket
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

FILE = "instance"
BOOT_FILE = "boot"
LONGEST_HOST = 40


def name_of_home(home: Path) -> str:
    """Return the home's name: the host on which it was made, and a random word; a hash if the home keeps nothing."""
    return _kept(home, FILE)


def boot_of_home(home: Path) -> str:
    """Return the name of the home's present start, which a copy of the home does not share once it has started."""
    return _kept(home, BOOT_FILE)


def begin_boot(home: Path) -> None:
    """Give the home's present start a name of its own."""
    with suppress(OSError):  # a home that keeps nothing has one name for all
        (home / BOOT_FILE).unlink(missing_ok=True)


def _kept(home: Path, name: str) -> str:
    try:
        return _kept_name(home, name)
    except OSError:
        return f"{_host()}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:8]}"


def _kept_name(home: Path, name: str) -> str:
    file = home / name
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = home / f".{name}-{uuid4().hex}"
        unfinished.write_text(f"{_host()}-{uuid4().hex[:8]}\n")
        with suppress(FileExistsError):  # another process was faster
            file.hardlink_to(unfinished)
        unfinished.unlink()
    return file.read_text().strip()


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9-]+", "-", socket.gethostname())[:LONGEST_HOST].strip("-") or "host"
