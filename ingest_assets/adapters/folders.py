"""Files below the paths that a person names, in a stable order."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest_assets.domain.errors import IngestError, PermanentError


@dataclass(frozen=True, slots=True)
class Found:
    """A file, or a path with the reason why there is none."""

    path: Path
    problem: IngestError | None = None


def find_files(paths: list[Path]) -> Iterator[Found]:
    """Files themselves, folders with all below them; hidden files and folders only where named."""
    for path in paths:
        yield from _below(path.absolute(), ())


def read_file(path: Path, max_bytes: int) -> bytes:
    """At most one byte more than `max_bytes`. Raises PermanentError path_missing, unreadable_file."""
    try:
        with path.open("rb") as file:
            return file.read(max_bytes + 1)
    except FileNotFoundError:
        raise PermanentError("path_missing") from None
    except OSError:
        raise PermanentError("unreadable_file") from None


def _below(path: Path, parents: tuple[Path, ...]) -> Iterator[Found]:
    try:
        if path.is_file():
            yield Found(path)
        elif path.is_dir():
            yield from _in_folder(path, parents)
        else:
            yield Found(path, PermanentError("path_missing"))
    except OSError:
        yield Found(path, PermanentError("unreadable_file"))


def _in_folder(folder: Path, parents: tuple[Path, ...]) -> Iterator[Found]:
    real = folder.resolve()
    if real in parents:
        yield Found(folder, PermanentError("folder_loop"))
        return
    for child in sorted(folder.iterdir()):
        if not child.name.startswith("."):
            yield from _below(child, (*parents, real))
