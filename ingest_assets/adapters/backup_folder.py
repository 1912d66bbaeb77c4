"""Backups in a folder, each in a folder of its own there, which only its owner can read.

A later backup links what an earlier one has kept, so each is complete by itself, and may be removed by itself.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from pathlib import Path
from shutil import rmtree
from typing import IO
from uuid import UUID

from ingest_assets.domain.backups import (
    DUMP,
    MANIFEST,
    OBJECT_LIST,
    OBJECTS,
    FileSum,
    KeptObject,
    Manifest,
    manifest_of,
    manifest_text,
    object_line,
    object_of,
)
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.documents.stored_object import StoredObject
from ingest_assets.domain.documents.sweeping import RecordedObjects
from ingest_assets.domain.errors import PermanentError
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.posix.files import replacing
from ingest_assets.posix.locks import try_exclusive

LOCK = ".lock"
WANTED = "wanted.jsonl"
"""What is still to be copied, while a backup is being made."""


class FolderOfBackups:
    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder.expanduser().absolute()
        self._clock = clock

    @contextmanager
    def making(self, backup_id: UUID, *, verifies: bool = False) -> Iterator["BackupInFolder"]:
        """Yield a new backup. Without its manifest it stays incomplete, and the next one goes on with its objects.

        Args:
            backup_id: Its id.
            verifies: Whether what earlier ones have kept is read, and copied again if it is damaged.

        Raises:
            PermanentError: backup_under_way or backup_folder_unusable.
        """
        with _usable():
            _make(self._folder)
            lock = try_exclusive(self._folder / LOCK)
        if lock is None:
            raise PermanentError("backup_under_way")
        try:
            with _usable():
                earlier = self._earlier()
                folder = self._folder / f"{self._clock.now():%Y%m%dT%H%M%S.%fZ}-{backup_id.hex[:8]}"
                folder.mkdir(mode=0o700)
                new = BackupInFolder(folder, earlier, verifies=verifies)
            try:
                yield new
            finally:
                new.close()
            with _usable():
                for each in earlier:
                    if not (each / MANIFEST).exists():
                        rmtree(each)
        finally:
            lock.release()

    def newest(self) -> "CompleteBackup":
        """Return the newest complete backup in the folder, or the one whose folder it is.

        Raises:
            PermanentError: backup_missing, backup_unfinished, backup_damaged or backup_newer.
        """
        with _usable():
            begun = [self._folder] if _is_begun(self._folder) else self._begun()
            complete = [each for each in begun if (each / MANIFEST).exists()]
        if not complete:
            raise PermanentError("backup_unfinished" if begun else "backup_missing")
        newest = CompleteBackup(complete[-1])  # their names begin with the time
        _ = newest.manifest
        return newest

    def _begun(self) -> list[Path]:
        return sorted(each for each in self._folder.iterdir() if _is_begun(each)) if self._folder.is_dir() else []

    def _earlier(self) -> list[Path]:
        """Return the last complete backup, and what was begun after it."""
        begun = self._begun()
        complete = [number for number, each in enumerate(begun) if (each / MANIFEST).exists()]
        return begun[complete[-1] if complete else 0 :]


class BackupInFolder:
    """A backup that is being made in its folder; `earlier` are folders with objects that need not be copied again."""

    def __init__(self, folder: Path, earlier: Iterable[Path] = (), *, verifies: bool = False) -> None:
        self._verifies = verifies
        self.folder = folder
        self.dump = folder / DUMP
        for path in (self.dump, folder / OBJECT_LIST):
            path.touch(mode=0o600)
        self._list: IO[str] = (folder / OBJECT_LIST).open("w")
        self._earlier = merge(*map(_kept_in, earlier), key=lambda each: each[0].key)
        self._here = next(self._earlier, None)

    def close(self) -> None:
        self._list.close()

    def note(self, records: Iterable[RecordedObjects]) -> int:
        count = 0
        with _usable(), replacing(self.folder / WANTED) as path, path.open("w") as lines:
            for each in records:
                count += 1
                owner = [str(each.user_id), str(each.document_id)]
                lines.write(json.dumps([*owner, sorted(each.required), sorted(each.named), *_rest(each)]) + "\n")
        return count

    def wanted(self) -> Iterator[RecordedObjects]:
        with (self.folder / WANTED).open() as lines:
            yield from map(_recorded, lines)

    def keep(self, found: StoredObject, read: Callable[[], bytes]) -> bool:
        target = self.folder / OBJECTS / found.key
        earlier = self._kept_earlier(found)
        with _usable():
            _make(target.parent)
        if earlier is not None and self._link(*earlier, target):
            self._note(earlier[0])
            return False
        content = read()
        with _usable(), replacing(target) as file:
            file.write_bytes(content)
        self._note(KeptObject(found.key, len(content), found.written_at, hashlib.sha256(content).hexdigest()))
        return True

    def sums(self) -> tuple[FileSum, FileSum]:
        with _usable():
            self._list.close()
            return _sum_of(self.dump), _sum_of(self.folder / OBJECT_LIST)

    def finish(self, manifest: Manifest) -> None:
        with _usable():
            (self.folder / WANTED).unlink()
            os.sync()  # one wait for everything, rather than one for each object
            with replacing(self.folder / MANIFEST, durable=True) as file:
                file.write_text(manifest_text(manifest))

    def _link(self, kept: KeptObject, folder: Path, target: Path) -> bool:
        """Give an earlier backup's object a second name, if it is there, whole, and the file system can do that."""
        path = folder / OBJECTS / kept.key
        try:
            if path.stat().st_size != kept.byte_size or (self._verifies and _sum_of(path).sha256 != kept.sha256):
                return False
            target.hardlink_to(path)
        except OSError:
            return False
        return True

    def _note(self, kept: KeptObject) -> None:
        with _usable():
            self._list.write(object_line(kept))

    def _kept_earlier(self, found: StoredObject) -> tuple[KeptObject, Path] | None:
        """Return what an earlier backup has kept of an object that is as it was; keys come in their order."""
        while self._here is not None and self._here[0].key < found.key:
            self._here = next(self._earlier, None)
        while self._here is not None and self._here[0].key == found.key:
            kept = self._here
            if (kept[0].byte_size, kept[0].written_at) == (found.byte_size, found.written_at):
                return kept
            self._here = next(self._earlier, None)
        return None


@dataclass(frozen=True)
class CompleteBackup:
    folder: Path

    @property
    def dump(self) -> Path:
        return self.folder / DUMP

    @property
    def manifest(self) -> Manifest:
        with _usable():
            return manifest_of((self.folder / MANIFEST).read_text(errors="replace"))

    def check(self) -> None:
        manifest = self.manifest
        for name, wanted in ((DUMP, manifest.dump), (OBJECT_LIST, manifest.object_list)):
            path = self.folder / name
            with _usable():
                if not path.exists() or _sum_of(path) != wanted:
                    raise PermanentError("backup_damaged", place=name)

    def objects(self) -> Iterator[KeptObject]:
        for kept, _ in _kept_in(self.folder):
            yield kept

    def content(self, kept: KeptObject) -> bytes | None:
        try:
            content = (self.folder / OBJECTS / kept.key).read_bytes()
        except OSError:  # gone, or the disk cannot read it
            return None
        return content if hashlib.sha256(content).hexdigest() == kept.sha256 else None


def _is_begun(folder: Path) -> bool:
    return any((folder / name).exists() for name in (MANIFEST, OBJECT_LIST))


def _kept_in(folder: Path) -> Iterator[tuple[KeptObject, Path]]:
    """Yield the objects of a backup, up to where the list of an unfinished one breaks off."""
    if not (folder / OBJECT_LIST).exists():
        return
    with (folder / OBJECT_LIST).open(errors="replace") as lines, suppress(ValueError):
        for line in lines:
            yield object_of(line), folder


def _make(folder: Path) -> None:
    if not folder.exists():
        _make(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _sum_of(path: Path) -> FileSum:
    with path.open("rb") as file:
        return FileSum(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _rest(record: RecordedObjects) -> list[object]:
    return [record.is_superseded, record.changed_at.isoformat()]


def _recorded(line: str) -> RecordedObjects:
    user, document, required, named, is_superseded, changed_at = json.loads(line)
    return RecordedObjects(
        UserId(UUID(user)),
        DocumentId(UUID(document)),
        frozenset(required),
        frozenset(named),
        is_superseded,
        datetime.fromisoformat(changed_at),
    )


@contextmanager
def _usable() -> Iterator[None]:
    """Turn an OSError into an error of the catalogue, without its message: paths may name people."""
    try:
        yield
    except OSError:
        raise PermanentError("backup_folder_unusable") from None
