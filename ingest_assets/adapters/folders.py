"""Files below the paths that a person names, in a stable order."""

import errno
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from operator import attrgetter
from pathlib import Path, PurePath

from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_states import FileState, NoFile, SeenFile

LONGEST_PATH = 2000
"""The longest path, in bytes, that an index of the database can hold."""

MISSING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})

FolderId = tuple[int, int]
"""A folder's device and inode."""


class Folders:
    """The machine's file system; it reads at most one byte more than `max_bytes` of a file."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    def find(self, paths: Iterable[Path]) -> Iterator[SeenFile | NoFile]:
        """Yield the files that are named and all files below folders, each once; hidden ones only if they are named."""
        found: set[str] = set()
        for path in paths:
            for each in _below(str(path.absolute()), ()):
                if each.path not in found:
                    found.add(each.path)
                    yield each

    def read(self, path: str) -> bytes:
        try:
            with Path(path).open("rb") as file:
                return file.read(self._max_bytes + 1)
        except OSError as error:
            raise _problem(error) from None

    def is_gone(self, path: str) -> bool:
        try:
            return not stat.S_ISREG(os.stat(path).st_mode)  # noqa: PTH116  as in _below
        except OSError as error:
            return error.errno in MISSING

    def device_at(self, path: str) -> int:
        for place in (path, *map(str, PurePath(path).parents)):
            with suppress(OSError):
                return os.stat(place).st_dev  # noqa: PTH116  as in _below
        raise FileNotFoundError(errno.ENOENT, "there is no root")


def _below(path: str, parents: tuple[FolderId, ...]) -> Iterator[SeenFile | NoFile]:
    seen_ns = time.time_ns()
    try:
        status = os.stat(path)  # noqa: PTH116  making a Path takes longer than the stat
        if stat.S_ISDIR(status.st_mode):
            yield from _in_folder(path, (status.st_dev, status.st_ino), parents)
        elif stat.S_ISREG(status.st_mode):
            yield _file(path, status, seen_ns)
        else:
            yield NoFile(_readable(path), PermanentError("path_missing"))
    except OSError as error:
        yield NoFile(_readable(path), _problem(error))


def _in_folder(folder: str, identity: FolderId, parents: tuple[FolderId, ...]) -> Iterator[SeenFile | NoFile]:
    if identity in parents:
        yield NoFile(_readable(folder), PermanentError("folder_loop"))
        return
    with os.scandir(folder) as entries:
        children = sorted(entries, key=attrgetter("name"))
    for child in children:
        if not child.name.startswith("."):
            yield from _below(child.path, (*parents, identity))


def _file(path: str, status: os.stat_result, seen_ns: int) -> SeenFile | NoFile:
    if _readable(path) != path or len(os.fsencode(path)) > LONGEST_PATH:
        return NoFile(_readable(path), PermanentError("path_unusable", limit=LONGEST_PATH))
    state = FileState(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
    return SeenFile(path, state, seen_ns)


def _readable(path: str) -> str:
    """Return the path with escapes for whatever is not UTF-8."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _problem(error: OSError) -> PermanentError:
    return PermanentError("path_missing" if error.errno in MISSING else "unreadable_file")
