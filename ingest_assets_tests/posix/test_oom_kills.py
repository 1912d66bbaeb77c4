"""What the kernel counts of the processes that it has killed for want of memory."""

from pathlib import Path

import pytest

from ingest_assets.posix.oom_kills import oom_kills

UNIFIED = "0::/system.slice/ingest.service\n"
DIVIDED = "9:name=systemd:/\n4:cpu,memory:/ingest\n0::/\n"


def written(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize(
    ("files", "count"),
    [
        (
            {
                "proc/self/cgroup": UNIFIED,
                "sys/fs/cgroup/system.slice/ingest.service/memory.events": "low 0\noom 5\noom_kill 3\n",
                "sys/fs/cgroup/memory.events": "oom_kill 99\n",
                "proc/vmstat": "pgfault 1\noom_kill 88\n",
            },
            3,
        ),
        ({"proc/self/cgroup": UNIFIED, "sys/fs/cgroup/memory.events": "oom_kill 4\n"}, 4),
        (
            {
                "proc/self/cgroup": DIVIDED,
                "sys/fs/cgroup/memory/ingest/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
            },
            2,
        ),
        ({"proc/self/cgroup": DIVIDED, "sys/fs/cgroup/memory/memory.oom_control": "oom_kill 6\n"}, 6),
        ({"proc/self/cgroup": UNIFIED, "proc/vmstat": "pgfault 1\noom_kill 8\n"}, 8),
        ({"proc/self/cgroup": "nonsense", "proc/vmstat": "oom_kill many\n"}, None),
        ({"proc/vmstat": "pgfault 1\n"}, None),
        ({}, None),
    ],
    ids=["own group", "own group seen as the root", "older", "older as the root", "machine", "nonsense", "old", "none"],
)
def test_the_count_is_the_one_closest_to_this_process_that_can_be_read(
    tmp_path: Path, files: dict[str, str], count: int | None
) -> None:
    assert oom_kills(written(tmp_path, files)) == count


def test_this_system_is_asked_without_failing() -> None:
    assert oom_kills() is None or oom_kills() >= 0  # type: ignore[operator]  # a count never disappears
