"""Processes that end when their parent does, however it ends."""

import ctypes
import os
import signal
import sys

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
