"""A disk that takes its time: the kernel asks this process before each open on it, and the answer comes late."""

import ctypes
import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

CLASS_CONTENT, CLOEXEC, MARK_ADD, MARK_MOUNT, OPEN_PERMISSION, HERE = 0x04, 0x01, 0x01, 0x10, 0x10000, -100
EVENT = struct.Struct("=IBBHQii")
"""Its length, version, reserved, length of metadata, mask, file descriptor, process."""
ANSWER = struct.Struct("=iI")
ALLOW = 1
BYTES_AT_ONCE = 4096


@contextmanager
def slow_disk(mount: Path, seconds: float) -> Iterator[None]:
    """Delay each opening of a file on this mounted disk during the block, by whomever.

    Raises:
        OSError: This kernel does not ask, or this user may not answer.
    """
    library = ctypes.CDLL(None, use_errno=True)
    asked = library.fanotify_init(CLASS_CONTENT | CLOEXEC, os.O_RDONLY)
    if asked < 0:
        raise OSError(ctypes.get_errno(), "fanotify_init")
    path = ctypes.c_char_p(os.fsencode(mount))
    if library.fanotify_mark(asked, MARK_ADD | MARK_MOUNT, ctypes.c_uint64(OPEN_PERMISSION), HERE, path) < 0:
        os.close(asked)
        raise OSError(ctypes.get_errno(), "fanotify_mark")
    ended = threading.Event()
    answering = threading.Thread(target=_answer, args=(asked, seconds, ended), daemon=True)
    answering.start()
    try:
        yield
    finally:
        ended.set()
        os.close(asked)  # the kernel lets everything through that still waits
        answering.join()


def _answer(asked: int, seconds: float, ended: threading.Event) -> None:
    os.set_blocking(asked, False)
    waiting: list[tuple[threading.Timer, int]] = []
    while not ended.wait(0.01):
        with suppress(BlockingIOError):
            events = os.read(asked, BYTES_AT_ONCE)
            for at in range(0, len(events), EVENT.size):
                file = EVENT.unpack_from(events, at)[5]
                timer = threading.Timer(seconds, _allow, (asked, file))
                timer.start()
                waiting.append((timer, file))
    for timer, file in waiting:
        timer.cancel()
        timer.join()
        os.close(file)


def _allow(asked: int, file: int) -> None:
    with suppress(OSError):  # it has let everything through
        os.write(asked, ANSWER.pack(file, ALLOW))
