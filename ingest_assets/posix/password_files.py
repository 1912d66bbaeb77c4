"""Passwords in files, which are read whenever they are needed, so that a new one counts at once."""

from pathlib import Path


def password_of(file: Path) -> bytes:
    """Return the password in a file, or nothing if the file is missing, empty or unreadable."""
    try:
        return file.read_bytes().strip()
    except OSError:
        return b""
