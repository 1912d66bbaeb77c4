"""Objects as files below one folder; each is written beside its final place and then renamed."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest_assets.domain.errors import PermanentError, ResourceError, TransientError
from ingest_assets.posix.files import replacing, write_through

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class LocalFiles:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, key: str, content: bytes) -> None:
        with _translated():
            path = self._folder / key
            _make_folder(path.parent)
            with replacing(path, durable=True) as file:
                file.write_bytes(content)

    def get(self, key: str) -> bytes:
        with _translated():
            try:
                return (self._folder / key).read_bytes()
            except FileNotFoundError:
                raise PermanentError("content_missing") from None

    def delete_below(self, prefix: str) -> int:
        with _translated():
            folder = self._folder / prefix
            count = self.count_below(prefix)
            shutil.rmtree(folder, ignore_errors=not folder.exists())
            return count

    def count_below(self, prefix: str) -> int:
        with _translated():
            return sum(1 for path in (self._folder / prefix).rglob("*") if not path.is_dir())


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
            raise ResourceError("storage_full") from None
        raise TransientError("storage_failed") from None
