"""The object store of the deployment: a folder, which can be taken away, filled up and made read-only.

As root it lies on a small disk of its own.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from ingest_assets_tests.faults.harness.deployment.slow_disk import slow_disk

DISK_BYTES = 256 * 1024 * 1024
BALLAST = "ballast"


@dataclass(frozen=True, slots=True)
class Store:
    disk: Path
    is_mounted: bool

    @property
    def objects(self) -> Path:
        return self.disk / "objects"

    @property
    def url(self) -> str:
        return f"file://{self.objects}"

    def files(self) -> list[Path]:
        return [path for path in self.objects.rglob("*") if path.is_file()]

    @contextmanager
    def away(self) -> Iterator[None]:
        """Let every access fail during the block, with an error that is not that of a missing file."""
        kept = self.objects.with_suffix(".away")
        self.objects.rename(kept)
        self.objects.write_bytes(b"")
        try:
            yield
        finally:
            self.objects.unlink()
            kept.rename(self.objects)

    @contextmanager
    def unmounted(self) -> Iterator[None]:
        """Show an empty folder that nobody can write to during the block, as where a disk is no longer mounted."""
        _mount("-t", "tmpfs", "-o", "size=4k,ro", "tmpfs", str(self.objects))
        try:
            yield
        finally:
            _mount_command("umount", "--lazy", str(self.objects))

    @contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        with slow_disk(self.disk, seconds):
            yield

    @contextmanager
    def full(self) -> Iterator[None]:
        ballast = self.disk / BALLAST
        try:
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while file.write(bytes(1 << 20)):
                    pass
            yield
        finally:
            ballast.unlink(missing_ok=True)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        _mount("-o", "remount,ro", str(self.disk))
        try:
            yield
        finally:
            _mount("-o", "remount,rw", str(self.disk))


@contextmanager
def made_store(folder: Path) -> Iterator[Store]:
    disk = folder / "disk"
    disk.mkdir()
    mounted = os.geteuid() == 0 and _try_mount("-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(disk))
    store = Store(disk, mounted)
    store.objects.mkdir(mode=0o700)
    try:
        yield store
    finally:
        if mounted:
            _mount_command("umount", "--lazy", str(disk))
        shutil.rmtree(disk, ignore_errors=True)


def _mount(*arguments: str) -> None:
    _mount_command("mount", *arguments)


def _try_mount(*arguments: str) -> bool:
    return subprocess.run(["mount", *arguments], check=False, capture_output=True).returncode == 0


def _mount_command(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
