"""Locks on files that the kernel releases when their holder ends, however it ends."""

import fcntl
import os
from pathlib import Path


class HeldLock:
    """A lock on an open file; children that inherit `descriptor` hold it too, until the last of them closes it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self._process_id = os.getpid()

    @property
    def is_ours(self) -> bool:
        """Whether this process took the lock; False in a forked child, which shares its parent's lock."""
        return self._process_id == os.getpid()

    @property
    def protects_its_path(self) -> bool:
        """Whether others can still see the lock; False once the file was deleted or replaced."""
        try:
            return os.path.samestat(self.path.stat(), os.fstat(self.descriptor))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Release the lock, unless a child has inherited it."""
        os.close(self.descriptor)


def try_shared(path: Path) -> HeldLock | None:
    """Return a lock that others may share, or None if another process holds it alone."""
    return _try(path, fcntl.LOCK_SH)


def try_exclusive(path: Path) -> HeldLock | None:
    """Return a lock that nobody else holds, or None if another process holds one."""
    return _try(path, fcntl.LOCK_EX)


def _try(path: Path, kind: int) -> HeldLock | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return HeldLock(path, descriptor)
