"""End groups of processes whose owner has been killed. This is its own program, with only the standard library.

It reads the groups from its input, one number a line, and a negative number for one that has ended. Its input ends when
its owner does, however that happens; then it asks the groups that are left to stop, and finally kills them.
"""

import os
import signal
import sys
import time
from contextlib import suppress

GRACE_SECONDS = 5
POLL_SECONDS = 0.05
DEATH_SECONDS = 3
"""How long killed processes may take to give back their memory. Zombies that nobody collects also take this long."""


def main() -> None:
    groups: set[int] = set()
    for line in sys.stdin:
        number = int(line)
        groups.add(number)
        if number < 0:
            groups -= {number, -number}
    end(groups)


def end(groups: set[int], grace: float = GRACE_SECONDS) -> None:
    """End groups of processes; stopped ones go on first, so that they can hear the signal."""
    for number in (signal.SIGTERM, signal.SIGCONT):
        send(groups, number)
    await_end(groups, grace)
    send(groups, signal.SIGKILL)
    await_end(groups)


def await_end(groups: set[int], seconds: float = DEATH_SECONDS) -> None:
    """Wait until nothing is left of the groups, but not for longer than this."""
    deadline = time.monotonic() + seconds
    while any(map(exists, groups)) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def send(groups: set[int], number: signal.Signals) -> None:
    """Send a signal to each group that is left."""
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):  # macOS denies permission if only zombies are left
            os.killpg(group, number)


def exists(group: int) -> bool:
    """Return whether any process of the group is left."""
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


if __name__ == "__main__":
    main()
