"""What changes in folders, as the kernel tells it."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from watchfiles import watch
from watchfiles.main import FileChange

from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.watching import Notice

GROUPED_MS = 400
WAIT_MS = 200
POLL_MS = 5000
"""How often to look at everything where the kernel can tell nothing."""
MANY = 1000
"""So many changes at once may have been more than the kernel's queue of them can hold."""
PASS_SECONDS = 600.0


class WatchedFolders:
    """Tells each path that has changed once nothing more has happened to it for a while.

    Each folder is told itself, which stands for everything below it: first of all, at intervals, and whenever changes
    may have been missed. The watch always begins before such a pass, so that nothing falls in between.

    Args:
        folders: The folders, as absolute paths; they need not exist all the time.
        clock: The clock.
        settle_seconds: How long nothing must have happened to a path.
        pass_seconds: How long after a pass the next one begins.
        many: See `MANY`.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        clock: Clock,
        *,
        settle_seconds: float,
        pass_seconds: float = PASS_SECONDS,
        many: int = MANY,
    ) -> None:
        self._folders = folders
        self._clock = clock
        self._settle_seconds = settle_seconds
        self._pass_seconds = pass_seconds
        self._many = many
        self._due: dict[str, float] = {}
        """When each path that has changed is to be told."""
        self._changes: Iterator[set[FileChange]] | None = None
        self._watched: list[tuple[int, int] | None] = []
        self._pass_at = 0.0

    def receive(self) -> list[Notice]:
        if self._changes is None or self._clock.seconds() >= self._pass_at or self._watched != self._identities():
            return self._begin()
        try:
            changed = [path for _, path in next(self._changes)]
        except (OSError, RuntimeError, StopIteration):  # whatever it was, something may have been missed
            self.close()
            return []
        now = self._clock.seconds()
        self._due |= dict.fromkeys(changed, now + self._settle_seconds)
        if len(changed) >= self._many:
            self._pass_at = min(self._pass_at, now + self._settle_seconds)
        due = [path for path, at in self._due.items() if at <= now]
        for path in due:
            del self._due[path]
        return [Notice(path) for path in due]

    def acknowledge(self, notice: Notice) -> None:
        """Do nothing: what has been told is forgotten, and only another change brings it back."""

    def postpone(self, notice: Notice) -> None:
        self._due.setdefault(notice.content, self._clock.seconds() + self._settle_seconds)

    def close(self) -> None:
        self._changes = None

    def _begin(self) -> list[Notice]:
        self.close()
        self._watched = self._identities()
        there = [folder for folder, identity in zip(self._folders, self._watched, strict=True) if identity]
        if there:
            self._changes = _opened(there)
        else:
            time.sleep(WAIT_MS / 1000)
        self._pass_at = self._clock.seconds() + self._pass_seconds
        self._due.clear()
        return [Notice(str(folder)) for folder in self._folders]

    def _identities(self) -> list[tuple[int, int] | None]:
        """Return what is at each path: a folder that was replaced is not the one that is watched."""
        return [_identity(folder) for folder in self._folders]


def _opened(folders: Sequence[Path]) -> Iterator[set[FileChange]]:
    """Return what changes from now on."""
    try:
        return _watching(folders, polls=None)
    except OSError:  # there are more folders than the kernel watches for one user
        return _watching(folders, polls=True)


def _watching(folders: Sequence[Path], *, polls: bool | None) -> Iterator[set[FileChange]]:
    changes = watch(
        *folders,
        watch_filter=None,
        debounce=GROUPED_MS,
        rust_timeout=WAIT_MS,
        yield_on_timeout=True,
        force_polling=polls,
        poll_delay_ms=POLL_MS,
        ignore_permission_denied=True,
    )
    first = next(changes)  # only now is anything watched

    def all_of_them() -> Iterator[set[FileChange]]:
        yield first
        yield from changes

    return all_of_them()


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(folder)  # noqa: PTH116  it is asked for all the time
    except OSError:
        return None
    return status.st_dev, status.st_ino
