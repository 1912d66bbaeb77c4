"""Files below the paths that a person names, in a stable order."""

import errno
import os
import stat
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path, PurePath

from ingest_assets.adapters.ignore_rules import IGNORE_FILE, LONGEST_IGNORE_FILE, IgnoreRules
from ingest_assets.domain.documents.metadata import SIDECAR
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.files.file_states import FileState, NoFile, SeenFile, SkippedFile
from ingest_assets.domain.files.skipping import SkipReason, skip_reason_of_name, skip_reason_of_problem

LONGEST_PATH = 2000
"""The longest path, in bytes, that an index of the database can hold."""

MISSING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP})

FolderId = tuple[int, int]
"""A folder's device and inode."""


class Folders:
    """The machine's file system; it reads at most one byte more than `max_bytes` of a file."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes

    def find(
        self,
        paths: Iterable[Path],
        *,
        follow_links: bool = False,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        only: Collection[str] | None = None,
    ) -> Iterator[SeenFile | NoFile | SkippedFile]:
        """Yield the files that are named and all files below folders, each once; hidden ones only if they are named."""
        found: set[str] = set()
        limit = None if only is None else _limit_of(only)
        for path in paths:
            absolute = str(path.absolute())
            within = os.path.realpath(path) if os.path.isdir(path) and not follow_links else None  # noqa: PTH112  as in _below
            if limit is not None and not limit.admits(absolute):
                continue
            for each in _below(absolute, _Place((), within, IgnoreRules(absolute, include, exclude), limit=limit)):
                if each.path not in found:
                    found.add(each.path)
                    yield each

    def read(self, path: str, within: str | None = None) -> bytes:
        try:
            return _read(path, within, self._max_bytes)
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


def _read(path: str, within: str | None, most: int) -> bytes:
    """Return a file's content, up to one byte more than `most`."""
    with open(path, "rb", opener=_without_waiting) as file:
        if within is not None:
            _check_place(file.fileno(), path, within)
        return file.read(most + 1)


def _without_waiting(path: str, flags: int) -> int:
    """Open a file, also if it has meanwhile become a pipe that nobody writes to."""
    return os.open(path, flags | os.O_NONBLOCK)


def _check_place(descriptor: int, path: str, within: str) -> None:
    """Check that an open file lies within a folder: what is at its path may have changed since it was found.

    Raises:
        PermanentError: link_leaves_folder.
    """
    place = os.path.realpath(path)
    if not (_is_below(place, within) and os.path.samestat(os.stat(place), os.fstat(descriptor))):  # noqa: PTH116
        raise PermanentError("link_leaves_folder")


def _is_below(place: str, folder: str) -> bool:
    return os.path.commonpath([place, folder]) == folder


@dataclass(frozen=True, slots=True)
class _Limit:
    """The paths that a walk is limited to, and the folders above them."""

    wanted: frozenset[str]
    above: frozenset[str]

    def admits(self, path: str) -> bool:
        return path in self.wanted or path in self.above

    def below(self, folder: str) -> "_Limit | None":
        return None if folder in self.wanted else self


def _limit_of(paths: Iterable[str]) -> _Limit:
    """Return the limit. A file's metadata stands for the file too, and an ignore file for its whole folder."""
    wanted = set(paths)
    wanted |= {path.removesuffix(SIDECAR) for path in wanted if path.endswith(SIDECAR)}
    wanted |= {str(PurePath(path).parent) for path in wanted if PurePath(path).name == IGNORE_FILE}
    return _Limit(frozenset(wanted), frozenset(str(above) for path in wanted for above in PurePath(path).parents))


@dataclass(frozen=True)
class _Place:
    """Where the walk is."""

    parents: tuple[FolderId, ...]
    """The folders above, from the one that was named; none at that one itself."""
    within: str | None
    rules: IgnoreRules
    names: Collection[str] = ()
    """What is in the folder; nothing is known of the folder of a file that was named."""
    limit: _Limit | None = None

    def sidecar_of(self, path: str) -> str | None:
        sidecar = path + SIDECAR
        is_there = PurePath(sidecar).name in self.names if self.parents else os.path.isfile(sidecar)  # noqa: PTH113  as in _below
        return sidecar if is_there else None

    def has_document_of(self, name: str) -> bool:
        """Return whether the name is that of a file with the metadata of another."""
        return name.endswith(SIDECAR) and name.removesuffix(SIDECAR) in self.names

    def below(self, folder: str, identity: FolderId, names: Collection[str]) -> "_Place":
        rules = self.rules
        if IGNORE_FILE in names:
            with suppress(OSError, PermanentError):  # whoever cannot be read says nothing
                rules = rules.within(
                    folder, _read(str(PurePath(folder, IGNORE_FILE)), self.within, LONGEST_IGNORE_FILE)
                )
        limit = None if self.limit is None else self.limit.below(folder)
        return _Place((*self.parents, identity), self.within, rules, names, limit)


Found = SeenFile | NoFile | SkippedFile


def _below(path: str, place: _Place) -> Iterator[Found]:
    seen_ns = time.time_ns()
    try:
        status = os.stat(path)  # noqa: PTH116  making a Path takes longer than the stat
        if stat.S_ISDIR(status.st_mode):
            yield from _in_folder(path, (status.st_dev, status.st_ino), place)
        elif not stat.S_ISREG(status.st_mode):
            yield _none(path, PermanentError("path_missing"), place)
        elif status.st_size == 0 and place.parents:
            yield _none(path, PermanentError("empty_file"), place)
        else:
            yield _file(path, status, seen_ns, place)
    except OSError as error:
        yield _none(path, _problem(error), place)


def _in_folder(folder: str, identity: FolderId, place: _Place) -> Iterator[Found]:
    if identity in place.parents:
        yield _none(folder, PermanentError("folder_loop"), place)
        return
    with os.scandir(folder) as entries:
        children = sorted(entries, key=attrgetter("name"))
    here = place.below(folder, identity, {child.name for child in children})
    for child in children:
        if here.limit is not None and not here.limit.admits(child.path):
            continue
        reason = skip_reason_of_name(child.name)
        if reason is None and child.name.startswith("."):
            continue
        if reason is None and here.has_document_of(child.name):
            reason = SkipReason.METADATA_FILE
        if reason is None and here.rules.ignores(child.path, is_folder=_is_folder(child)):
            reason = SkipReason.IGNORED
        if reason is not None:
            yield SkippedFile(_readable(child.path), reason)
        elif _leads_out(child, here.within):
            yield NoFile(_readable(child.path), PermanentError("link_leaves_folder"))
        else:
            yield from _below(child.path, here)


def _is_folder(child: os.DirEntry[str]) -> bool:
    """Return whether it is a folder; a link to itself, for instance, is none."""
    try:
        return child.is_dir()
    except OSError:
        return False


def _leads_out(child: os.DirEntry[str], within: str | None) -> bool:
    """Return whether a child is a link to something that is there, but not within the folder that was named."""
    if within is None or not child.is_symlink():
        return False
    target = os.path.realpath(child.path)
    return os.path.lexists(target) and not _is_below(target, within)


def _none(path: str, problem: PermanentError, place: _Place) -> NoFile | SkippedFile:
    reason = skip_reason_of_problem(problem.code) if place.parents else None
    return NoFile(_readable(path), problem) if reason is None else SkippedFile(_readable(path), reason)


def _file(path: str, status: os.stat_result, seen_ns: int, place: _Place) -> SeenFile | NoFile:
    if _readable(path) != path or len(os.fsencode(path)) > LONGEST_PATH:
        return NoFile(_readable(path), PermanentError("path_unusable", limit=LONGEST_PATH))
    state = FileState(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
    return SeenFile(path, state, seen_ns, place.within, is_named=not place.parents, sidecar=place.sidecar_of(path))


def _readable(path: str) -> str:
    """Return the path with escapes for whatever is not UTF-8."""
    return os.fsencode(path).decode(errors="backslashreplace")


def _problem(error: OSError) -> PermanentError:
    return PermanentError("path_missing" if error.errno in MISSING else "unreadable_file")
