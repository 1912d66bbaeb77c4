"""Files that others see whole or not at all, and that survive a crash."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkstemp

UNFINISHED = ".writing-"
"""The prefix of a file's name until it is complete; a killed writer leaves such a file behind."""


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Yield an empty file, private to its owner, that replaces `path` when the block ends.

    If the block raises, the file is removed and `path` stays as it was.

    Args:
        path: Where the file will be; its folder must exist.
        durable: Whether the file must survive a crash of the machine from the moment it is visible.

    Raises:
        OSError: The file cannot be made, written through, or moved.
    """
    descriptor, name = mkstemp(dir=path.parent, prefix=UNFINISHED)
    os.close(descriptor)
    unfinished = Path(name)
    try:
        yield unfinished
        if durable:
            write_through(unfinished)
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    if durable:
        write_through(path.parent)


def write_through(path: Path) -> None:
    """Write a file's content, or a folder's list of files, through to the disk.

    Raises:
        OSError: There is no such file, or the disk failed.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
