"""What a worker gives up of its own accord, as far as the system lets it; the kernel gives none of it back."""

import _thread
import ctypes
import os
import resource
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from secrets import choice

PR_SET_NO_NEW_PRIVS = 38
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x08000000, 0x10000000, 0x40000000
CAPABILITIES_HEADER, CAPABILITIES_BYTES = struct.pack("=Ii", 0x20080522, 0), 24
"""The version of what follows, and the number that stands for the calling process."""
CAP_KILL = 1 << 5

LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446
LANDLOCK_VERSION = 1
FILE_RIGHTS = (0, 13, 14, 15, 15, 16)
"""How many rights over files each version of Landlock knows."""
NETWORK_RIGHTS, NETWORK_SINCE = 0b11, 4
SCOPES, SCOPES_SINCE = 0b11, 6
"""Sockets without a file, and signals."""

NOBODY = (range(0x70000000, 0x71000000), range(61184, 65520))
"""User ids that no system gives to anybody; and, for containers that know only 65,536, those of dynamic users, which a
container without a service manager does not have."""
MOST_THREADS = 64
"""How many a worker may have beyond those that it needs for each processor."""


def leave_namespaces() -> bool:
    """Leave the network and shared memory, if the system allows it: no parser has anything to fetch there."""
    if sys.platform != "linux":
        return False
    library, left = ctypes.CDLL(None), CLONE_NEWIPC | CLONE_NEWNET
    return any(library.unshare(user | left) == 0 for user in (0, CLONE_NEWUSER))


def lock_files() -> bool:
    """Open no more files and signal nobody else: this thread, and all that it starts.

    Landlock grants what rules name; here no rule does.
    """
    if sys.platform != "linux":
        return False
    library = ctypes.CDLL(None)
    version = library.syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), LANDLOCK_VERSION)
    if version < 1 or library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    files = (1 << FILE_RIGHTS[min(version, len(FILE_RIGHTS) - 1)]) - 1
    network = NETWORK_RIGHTS if version >= NETWORK_SINCE else 0
    handled = struct.pack("=QQQ", files, network, SCOPES if version >= SCOPES_SINCE else 0)
    rules = library.syscall(LANDLOCK_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    if rules < 0:
        return False
    locked = bool(library.syscall(LANDLOCK_RESTRICT_SELF, rules, 0) == 0)
    os.close(rules)
    return locked


def become_nobody_else() -> bool:
    """As root, become a user who owns nothing and whom no other process has.

    A parent that may not kill other users' processes, as in some containers, could not end this one then.
    """
    if sys.platform != "linux" or os.geteuid() != 0 or not _may_kill_others():
        return False
    for number in map(choice, NOBODY):
        with suppress(OSError):  # no right to, or the system knows no such numbers
            os.setgroups([])
            os.setresgid(number, number, number)
            os.setresuid(number, number, number)
            return True
    return False


def _may_kill_others() -> bool:
    held = ctypes.create_string_buffer(CAPABILITIES_BYTES)
    ctypes.CDLL(None).capget(CAPABILITIES_HEADER, held)
    return bool(struct.unpack_from("=I", held)[0] & CAP_KILL)


def drop_capabilities() -> None:
    """Drop the capabilities of the calling thread and of all that it starts; root then only owns its files."""
    if sys.platform == "linux":
        ctypes.CDLL(None).capset(CAPABILITIES_HEADER, bytes(CAPABILITIES_BYTES))


def limit_threads(count: Callable[[], int]) -> bool:
    """Limit the threads of this process, if the system counts them apart from those of others.

    It does so for a user of one's own, and within a namespace of users since Linux 5.14; it never limits root. Rather
    than to know all that, this tries whether the limit holds at the very number of threads that there are now.

    Args:
        count: Gives the number of threads of this process.
    """
    if sys.platform != "linux":
        return False
    before, ceiling = resource.getrlimit(resource.RLIMIT_NPROC)
    now, most = count(), MOST_THREADS + 2 * (os.cpu_count() or 1)
    if not (ceiling == resource.RLIM_INFINITY or ceiling >= most > now):
        return False
    holds = not _starts_thread_within(now, ceiling) and _starts_thread_within(now + 1, ceiling)
    resource.setrlimit(resource.RLIMIT_NPROC, (most, most) if holds else (before, ceiling))
    return holds


def _starts_thread_within(most: int, ceiling: int) -> bool:
    resource.setrlimit(resource.RLIMIT_NPROC, (most, ceiling))
    ended = _thread.allocate_lock()
    ended.acquire()
    try:
        _thread.start_new_thread(ended.release, ())
    except RuntimeError:
        return False
    ended.acquire()
    return True
