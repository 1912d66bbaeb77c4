"""What this process can measure by itself: its connections, the disks, and the machine's memory and load."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from ingest_assets.domain import metrics
from ingest_assets.domain.metrics import Sample

CONTROL_GROUP = Path("/sys/fs/cgroup")


class HostMeasurements:
    def __init__(self, folders: Mapping[str, Path]) -> None:
        self._folders = folders

    def take(self) -> Iterator[Sample]:
        for name, folder in self._folders.items():
            with suppress(OSError):  # a folder that cannot be looked into has no size
                disk = shutil.disk_usage(_existing(folder))
                yield Sample(metrics.DISK_FREE, (name,), disk.free)
                yield Sample(metrics.DISK_SIZE, (name,), disk.total)
        memory = memory_of_host()
        if memory is not None:
            size, available = memory
            yield Sample(metrics.MEMORY_SIZE, (), size)
            yield Sample(metrics.MEMORY_AVAILABLE, (), available)
        yield Sample(metrics.CPU_LOAD, (), os.getloadavg()[1] / (os.cpu_count() or 1))


class PoolMeasurements:
    """Measures a pool of connections by what the pool says of itself."""

    def __init__(self, statistics: Callable[[], Mapping[str, int]]) -> None:
        self._statistics = statistics

    def take(self) -> Iterator[Sample]:
        told = self._statistics()
        idle = told.get("pool_available", 0)
        yield Sample(metrics.POOL_CONNECTIONS, ("idle",), idle)
        yield Sample(metrics.POOL_CONNECTIONS, ("used",), told.get("pool_size", 0) - idle)
        yield Sample(metrics.POOL_LIMIT, (), told.get("pool_max", 0))
        yield Sample(metrics.POOL_WAITING, (), told.get("requests_waiting", 0))
        yield Sample(metrics.POOL_ERRORS_TOTAL, (), told.get("connections_errors", 0))


def memory_of_host() -> tuple[int, int] | None:
    """Return the bytes of memory and those available: the container's if it has a limit, or else the host's."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text("ascii").splitlines())
        size, available = (int(lines[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    except (OSError, KeyError, ValueError):
        return None
    try:
        limit, used = (int((CONTROL_GROUP / f"memory.{name}").read_text("ascii")) for name in ("max", "current"))
    except (OSError, ValueError):  # there is no limit, or no such system
        return size, available
    return min(limit, size), max(0, min(limit - used, available))


def _existing(folder: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(each for each in (folder, *folder.parents) if each.exists())
