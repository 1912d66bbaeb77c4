"""A kernel filter (seccomp-BPF) that lets a process go on with what it holds, and reach for nothing else.

It lists what is allowed. All other calls fail as on a kernel that lacks them (ENOSYS), so that a library that tries a
newer call takes the older one; an allowed call with other arguments fails with EPERM.
"""

import ctypes
import errno
import fcntl
import os
import sys
import termios
from collections.abc import Iterator, Sequence
from contextlib import suppress

from seccompy import Action, ArgCmp, CmpOp, Filter, UnsupportedError, syscall_nr

PR_SET_NO_NEW_PRIVS, PR_SET_NAME, PR_GET_NAME, PR_SET_VMA = 38, 15, 16, 0x53564D41
SET_MODE_FILTER, FOR_ALL_THREADS = 1, 1
INSTRUCTION_BYTES = 8
CLONE_THREAD = 0x00010000
CLONE_OTHER = 0x7E023000
"""CLONE_NEWNS and its like, CLONE_PIDFD and CLONE_PTRACE, none of which a thread needs."""
OWN = 0
"""The number that stands for the calling process or thread."""

ALLOWED = """
read readv pread64 write writev pwrite64 lseek close fstat dup dup2 dup3 getcwd
poll ppoll select pselect6 epoll_wait epoll_pwait epoll_ctl recvfrom
brk mmap munmap mremap mprotect madvise
futex set_robust_list rseq sched_yield membarrier
nanosleep clock_nanosleep clock_gettime clock_getres gettimeofday time
rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack restart_syscall
exit exit_group getpid gettid getppid getuid geteuid getgid getegid getrusage times uname sysinfo getcpu getrandom
"""
"""What the parsers, the interpreter and two C libraries call once everything is loaded; nothing here names another
process, a file or an address.
"""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def filter_system_calls() -> bool:
    """Keep all threads of this process to the allowed calls; return False if the system cannot."""
    if sys.platform != "linux":
        return False
    try:
        instructions, seccomp = program(os.getpid()), syscall_nr("seccomp")
    except UnsupportedError:
        return False
    library = ctypes.CDLL(None)
    if library.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    held = _Program(len(instructions) // INSTRUCTION_BYTES, instructions)
    return bool(library.syscall(seccomp, SET_MODE_FILTER, FOR_ALL_THREADS, ctypes.byref(held)) == 0)


def program(process: int) -> bytes:
    """Return the filter for a process.

    Raises:
        UnsupportedError: The calls of this kind of machine are not known.
    """
    made = Filter(default=Action.ERRNO | errno.ENOSYS)
    for name in _known(ALLOWED.split()):
        made.allow(name)
    conditional = list(conditions(process))
    for name, arguments in conditional:
        made.allow(name, args=arguments)
    for name in {name for name, _ in conditional}:
        made.errno(name, errno.EPERM)
    return made.program


def conditions(process: int) -> Iterator[tuple[str, Sequence[ArgCmp]]]:
    """Yield calls that are allowed only with some arguments."""
    for command in (fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL, fcntl.F_DUPFD, fcntl.F_DUPFD_CLOEXEC):
        yield "fcntl", [_equal(1, command)]
    yield "fcntl", [_equal(1, fcntl.F_SETFL), _without(2, os.O_ASYNC)]
    for request in (termios.FIOCLEX, termios.FIONCLEX, termios.FIONREAD, termios.TCGETS):
        yield "ioctl", [_equal(1, request)]
    for option in (PR_SET_NAME, PR_GET_NAME, PR_SET_VMA):
        yield "prctl", [_equal(0, option)]
    yield "clone", [ArgCmp(0, CmpOp.MASKED_EQ, CLONE_THREAD, mask=CLONE_THREAD | CLONE_OTHER)]
    yield "kill", [_equal(0, process)]
    yield "tgkill", [_equal(0, process)]
    yield "prlimit64", [_equal(0, OWN)]
    yield "sched_getaffinity", [_equal(0, OWN)]
    yield "sendto", [_equal(4, 0)]  # to no other address than that of the connected pair


def _equal(argument: int, value: int) -> ArgCmp:
    return ArgCmp(argument, CmpOp.EQ, value)


def _without(argument: int, flags: int) -> ArgCmp:
    return ArgCmp(argument, CmpOp.MASKED_EQ, 0, mask=flags)


def _known(names: Sequence[str]) -> Iterator[str]:
    """Yield the calls that this kind of machine has."""
    for name in names:
        with suppress(ValueError):
            syscall_nr(name)
            yield name
