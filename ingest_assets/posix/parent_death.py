"""Processes that end when their parent does, however it ends.

This is also a program with only the standard library: `python -I -S parent_death.py SIGNAL PARENT COMMAND…` becomes the
command, which then gets the signal when its parent ends.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

PR_SET_PDEATHSIG = 1
_LIBRARY = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent(number: signal.Signals, parent: int) -> None:
    """Have the kernel send `number` to this process once the thread that started it ends.

    Only Linux has such a signal. Elsewhere this only checks that the parent is still there.

    Args:
        number: The signal to send to this process.
        parent: The process id of the parent, as the parent itself knows it: it may have ended before this call.

    Raises:
        SystemExit: The parent is already gone.
    """
    if _LIBRARY is not None:
        _LIBRARY.prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        raise SystemExit(1)


def following(command: Sequence[str]) -> list[str]:
    """Return a command line that runs the command until the thread that starts it ends; then it gets SIGTERM."""
    return [sys.executable, "-I", "-S", __file__, str(int(signal.SIGTERM)), str(os.getpid()), *command]


def main(number: str, parent: str, *command: str) -> None:
    end_with_parent(signal.Signals(int(number)), int(parent))
    os.execv(command[0], command)  # noqa: S606  the command of whoever started this program


if __name__ == "__main__":
    main(*sys.argv[1:])
