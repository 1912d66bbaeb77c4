"""Objects as files below one folder; each is written beside its final place and then renamed."""

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from uuid import UUID, uuid4

from ingest_assets.domain.documents.download import Download
from ingest_assets.domain.documents.stored_object import StoredObject
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.posix.files import UNFINISHED, replacing, write_through

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


MARK = ".ingest-assets"
"""The empty folder that tells a store from the empty place where its disk is to be mounted."""
ID = f"{MARK}/id"
"""The folder whose only entry, an empty folder, has the store's id as its name: whoever lists files finds none."""


REMOVED = ".removing-"
"""The prefix of a file's name while it is being removed; it is of no use to anybody, like an unfinished one."""


class LocalFiles:
    """Objects below `folder`.

    Args:
        folder: The folder; it is made once.
        known: The file that remembers that this folder was made. If the folder is gone or empty afterwards, its disk is
            away, and nothing may be written in its place or taken for deleted. Without it, there is no such check.
    """

    def __init__(self, folder: Path, known: Path | None = None) -> None:
        self._folder = folder
        self._known = known

    def check(self) -> None:
        with self._present():
            if not os.access(self._folder, os.R_OK | os.W_OK | os.X_OK):
                raise OutageError("storage_failed")

    def claim(self, store_id: UUID) -> UUID:
        with self._present():
            folder = self._folder / ID
            if not folder.is_dir():
                _make_folder(folder.parent)
                _fill_first(folder, str(store_id))
            return _id_in(folder)

    def put(self, key: str, content: bytes) -> None:
        with self._present():
            path = self._folder / key
            _make_folder(path.parent)
            with replacing(path, durable=True) as file:
                file.write_bytes(content)

    def get(self, key: str) -> bytes:
        with self._present():
            try:
                return (self._folder / key).read_bytes()
            except FileNotFoundError:
                raise PermanentError("content_missing") from None

    def beginning(self, key: str, size: int) -> bytes:
        return self.get(key)[:size]

    def address(self, key: str, answer: Download) -> str | None:
        """Return None: nobody else serves these files."""
        del key, answer
        return None

    def holds(self, key: str) -> bool:
        with self._present():
            return _state_of(self._folder / key) is not None

    def listed(self, below: str = "") -> Iterator[StoredObject]:
        with self._present():
            yield from self._walk(below)

    def _walk(self, folder: str) -> Iterator[StoredObject]:
        # A folder's slash counts in the order of keys: "a.md" comes before "a/b".
        for name in sorted(_names_in(self._folder / folder)):
            key = f"{folder}/{name}" if folder else name
            if name.endswith("/"):
                yield from self._walk(key[:-1])
            elif (found := _state_of(self._folder / key)) is not None:
                yield _described(key, found)

    def remove(self, found: StoredObject) -> bool:
        path = self._folder / found.key
        with self._present():
            state = _state_of(path)
            if state is None or _described(found.key, state) != found:
                return False
            return _remove_unless_changed(path, found)

    def delete_below(self, prefix: str) -> int:
        with self._present():
            folder = self._folder / prefix
            count = self.count_below(prefix)
            shutil.rmtree(folder, ignore_errors=not folder.exists())
            return count

    def count_below(self, prefix: str) -> int:
        with self._present():
            return sum(1 for path in (self._folder / prefix).rglob("*") if not path.is_dir())

    @contextmanager
    def _present(self) -> Iterator[None]:
        """Check that the store is there before the block uses it.

        Raises:
            OutageError: storage_failed.
        """
        with _translated():
            if self._known is not None and not self._is_known_by(self._known):
                _make_folder(self._folder)
                (self._folder / MARK).mkdir(exist_ok=True)
                _make_folder(self._known.parent)
                self._known.write_bytes(os.fsencode(self._folder))
            elif self._known is not None and not (self._folder / MARK).is_dir():
                raise OutageError("storage_failed")
            yield

    def _is_known_by(self, known: Path) -> bool:
        """Return whether the folder was made, and not another that was in use before; older releases wrote no name."""
        try:
            named = known.read_bytes()
        except FileNotFoundError:
            return False
        return named in (b"", os.fsencode(self._folder))


def _fill_first(folder: Path, name: str) -> None:
    """Make a folder with an empty folder in it, unless somebody else is first."""
    made = Path(mkdtemp(dir=folder.parent))
    try:
        (made / name).mkdir()
        write_through(made)
        made.rename(folder)  # fails if there is a filled one
        write_through(folder.parent)
    except OSError:
        shutil.rmtree(made, ignore_errors=True)
        if not folder.is_dir():
            raise


def _id_in(folder: Path) -> UUID:
    try:
        [name] = (each.name for each in folder.iterdir())
        return UUID(name)
    except ValueError:  # somebody has been here
        raise OutageError("storage_failed") from None


def _names_in(folder: Path) -> list[str]:
    """Return the names in a folder, those of folders with a slash; none if the folder is gone."""
    try:
        with os.scandir(folder) as entries:
            return [entry.name + "/" * entry.is_dir(follow_symlinks=False) for entry in entries]
    except FileNotFoundError:
        return []


def _state_of(path: Path) -> os.stat_result | None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return None
    return None if stat.S_ISDIR(found.st_mode) else found


def _described(key: str, found: os.stat_result) -> StoredObject:
    whole = not key.rpartition("/")[2].startswith((UNFINISHED, REMOVED))
    return StoredObject(key, found.st_size, datetime.fromtimestamp(found.st_mtime, UTC), whole)


def _remove_unless_changed(path: Path, found: StoredObject) -> bool:
    """Remove a file that is still as it was found; what somebody has just put in its place stays.

    The folder stays too: somebody may be about to write into it.
    """
    removed = path.with_name(f"{REMOVED}{uuid4().hex}")
    try:
        path.rename(removed)
    except FileNotFoundError:
        return False
    if _described(found.key, removed.lstat()) == found:
        removed.unlink()
        return True
    if path.exists():  # it has been written yet again
        removed.unlink()
    else:
        removed.rename(path)
    return False


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, each durable in its parent."""
    if not folder.exists():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True, mode=0o700)
        write_through(folder.parent)


@contextmanager
def _translated() -> Iterator[None]:
    """Turn an OSError into an error of the catalogue, without its message: paths may name people."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            raise OutageError("storage_full") from None
        raise OutageError("storage_failed") from None
