"""What the kernel counts of the processes that it has killed for want of memory."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

ROOT = Path("/")


def oom_kills(root: Path = ROOT) -> int | None:
    """Return how many processes of this control group the kernel has killed for want of memory.

    Where the group cannot be read, the count is that of the whole machine.

    Returns:
        A count that only grows, or None if the system does not tell.
    """
    for file in (*_of_the_group(root), root / "proc/vmstat"):
        with suppress(OSError, ValueError):
            for line in file.read_text().splitlines():
                name, _, count = line.partition(" ")
                if name == "oom_kill":
                    return int(count)
    return None


def _of_the_group(root: Path) -> Iterator[Path]:
    """Yield the files that may count the kills; within a container, the group may be what is mounted as the root."""
    groups = root / "sys/fs/cgroup"
    with suppress(OSError, ValueError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if not controllers:
                yield groups / path.lstrip("/") / "memory.events"
                yield groups / "memory.events"
            elif "memory" in controllers.split(","):
                yield groups / "memory" / path.lstrip("/") / "memory.oom_control"
                yield groups / "memory/memory.oom_control"
