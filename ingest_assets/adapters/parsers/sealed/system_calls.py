"""A kernel filter (seccomp-BPF) that lets a process keep what it holds but reach for nothing else.

Refused calls fail with EPERM. A list of all allowed calls would be tighter, but would break parsers with the next C
library. So this list names each way that Linux has to files, sockets and other processes, and around the filter.
"""

import ctypes
import errno
import os
import platform
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from ingest_assets.posix.parent_death import PR_SET_PDEATHSIG

PR_SET_NO_NEW_PRIVS = 38
SET_MODE_FILTER, FOR_ALL_THREADS = 1, 1
CAPABILITIES_VERSION, CAPABILITIES_BYTES = 0x20080522, 24
OWN = 0
"""The number that stands for the calling process."""
INSTRUCTION_BYTES = 8
CLONE_THREAD = 0x00010000
ALLOW, KILL = 0x7FFF0000, 0x80000000
REFUSE, UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS

LOAD, IF_EQUAL, IF_AT_LEAST, IF_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
"""The offsets in `struct seccomp_data`; for the argument, of its lower half."""

NAMES = """
open:2 creat:85 openat:257:56 openat2:437:437 open_by_handle_at:304:265 memfd_create:319:279
truncate:76:45 rename:82 renameat:264:38 renameat2:316:276 link:86 linkat:265:37 symlink:88 symlinkat:266:36
unlink:87 unlinkat:263:35 mkdir:83 mkdirat:258:34 rmdir:84 mknod:133 mknodat:259:33
chmod:90 fchmodat:268:53 fchmodat2:452:452 chown:92 lchown:94 fchownat:260:54
utime:132 utimes:235 futimesat:261 utimensat:280:88
setxattr:188:5 lsetxattr:189:6 removexattr:197:14 lremovexattr:198:15
mount:165:40 umount2:166:39 move_mount:429:429 mount_setattr:442:442 open_tree:428:428 fsopen:430:430 fspick:433:433
chroot:161:51 pivot_root:155:41 unshare:272:97 setns:308:268
socket:41:198 socketpair:53:199 connect:42:203 bind:49:200
fork:57 vfork:58 execve:59:221 execveat:322:281
ptrace:101:117 process_vm_readv:310:270 process_vm_writev:311:271 process_madvise:440:440 kcmp:312:272
tkill:200:130 rt_sigqueueinfo:129:138 rt_tgsigqueueinfo:297:240
pidfd_open:434:434 pidfd_getfd:438:438 pidfd_send_signal:424:424
shmget:29:194 shmat:30:196 semget:64:190 msgget:68:186 mq_open:240:180
io_uring_setup:425:425 io_uring_enter:426:426 io_uring_register:427:427
bpf:321:280 perf_event_open:298:241 userfaultfd:323:282 add_key:248:217 request_key:249:218 keyctl:250:219
"""
"""The refused calls, each with its number on x86-64 and, if it exists there, on 64-bit ARM."""

FIRST_UNLISTED = 453
"""Calls from this number on are newer than the list; they fail as on an older kernel that lacks them."""


@dataclass(frozen=True, slots=True)
class Machine:
    column: int
    audit_code: int
    clone: int
    clone3: int
    kill: int
    tgkill: int
    prlimit64: int
    prctl: int
    seccomp: int


MACHINES = {
    "x86_64": Machine(1, 0xC000003E, 56, 435, 62, 234, 302, 157, 317),
    "aarch64": Machine(2, 0xC00000B7, 220, 435, 129, 131, 261, 167, 277),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def refuse_the_outside() -> bool:
    """Keep all threads of this process from opening files, sockets or processes; return False if the system cannot."""
    machine = MACHINES.get(platform.machine()) if sys.platform == "linux" else None
    if machine is None:
        return False
    library = ctypes.CDLL(None)
    instructions = b"".join(_filter(machine, os.getpid()))
    program = _Program(len(instructions) // INSTRUCTION_BYTES, instructions)
    if library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    return bool(library.syscall(machine.seccomp, SET_MODE_FILTER, FOR_ALL_THREADS, ctypes.byref(program)) == 0)


def drop_capabilities() -> None:
    """Drop the capabilities of the calling thread and of all that it starts; root then only owns its files."""
    if sys.platform == "linux":
        header = struct.pack("=Ii", CAPABILITIES_VERSION, OWN)
        ctypes.CDLL(None).capset(header, bytes(CAPABILITIES_BYTES))


def _filter(machine: Machine, process: int) -> Iterator[bytes]:
    yield _instruction(LOAD, ARCHITECTURE)
    yield _instruction(IF_EQUAL, machine.audit_code, yes=1)
    yield _instruction(RETURN, KILL)
    yield _instruction(LOAD, NUMBER)
    yield from _answered(UNKNOWN, IF_AT_LEAST, FIRST_UNLISTED)
    yield from _answered(UNKNOWN, IF_EQUAL, machine.clone3)  # its flags are behind a pointer; libraries fall back
    for call in NAMES.split():
        numbers = call.split(":")
        if machine.column < len(numbers):
            yield from _answered(REFUSE, IF_EQUAL, int(numbers[machine.column]))
    yield from _by_argument(machine.clone, IF_ANY_BIT, CLONE_THREAD, ALLOW, REFUSE)
    yield from _by_argument(machine.kill, IF_EQUAL, process, ALLOW, REFUSE)
    yield from _by_argument(machine.tgkill, IF_EQUAL, process, ALLOW, REFUSE)
    yield from _by_argument(machine.prlimit64, IF_EQUAL, OWN, ALLOW, REFUSE)
    yield from _by_argument(machine.prctl, IF_EQUAL, PR_SET_PDEATHSIG, REFUSE, ALLOW)
    yield _instruction(RETURN, ALLOW)


def _answered(answer: int, condition: int, number: int) -> tuple[bytes, ...]:
    return _instruction(condition, number, no=1), _instruction(RETURN, answer)


def _by_argument(number: int, condition: int, value: int, answer: int, otherwise: int) -> tuple[bytes, ...]:
    return (
        _instruction(IF_EQUAL, number, no=4),
        _instruction(LOAD, FIRST_ARGUMENT),
        *_answered(answer, condition, value),
        _instruction(RETURN, otherwise),
    )


def _instruction(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """Return one instruction; `yes` and `no` are how many instructions a jump skips."""
    return struct.pack("=HBBI", code, yes, no, value)
