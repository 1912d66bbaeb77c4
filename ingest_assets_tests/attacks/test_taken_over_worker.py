"""Finding 4: code that runs within a sealed worker turns against other processes, and against the machine."""

import errno
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from seccompy.syscalls import AARCH64_SYSCALLS, X86_64_SYSCALLS

from ingest_assets.adapters.parsers.sandbox import COMMAND, Worker
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.adapters.parsers.sealed.seals import Seal
from ingest_assets.adapters.parsers.sealed.system_calls import ALLOWED, conditions
from ingest_assets.domain.files.file_types import FileType
from ingest_assets_tests.adapters.parsers.test_parser_sandbox import HTML, OBEDIENT_WORKER, ends

NUMBERS = {"x86_64": X86_64_SYSCALLS, "aarch64": AARCH64_SYSCALLS}.get(platform.machine(), {})
pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not NUMBERS, reason="this system has no filter of system calls"
)
HEADERS = {
    "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    "aarch64": Path("/usr/include/asm-generic/unistd.h"),
}
PRELUDE = OBEDIENT_WORKER.replace(
    "def obey",
    """
import errno, fcntl
library = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    ctypes.set_errno(0)
    result = library.syscall(number, *arguments)
    return errno.errorcode.get(ctypes.get_errno(), "none") if result == -1 else "done"

def tried(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"

def obey""",
)
REFUSED = {"EPERM", "ENOSYS"}


@contextmanager
def taken_over(before: str = "") -> Iterator[Worker]:
    """A worker that runs whatever it is asked, behind its real seal."""
    program = PRELUDE.replace("worker.main()", f"{before}\nworker.main()")
    started = Worker(ParserLimits(seconds=60), (sys.executable, "-I", "-c", program))
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def answer(of: Worker, program: str) -> str:
    return of.ask(program.encode(), FileType.HTML).text


def test_a_worker_cannot_have_the_kernel_signal_another_process(victim: subprocess.Popen[bytes]) -> None:
    program = f"""
said, F_SETSIG = [], 10
for number in (0, 3):
    said += [tried(fcntl.fcntl, number, fcntl.F_SETOWN, {victim.pid})]
    said += [tried(fcntl.fcntl, number, F_SETSIG, 9)]
    said += [tried(fcntl.fcntl, number, fcntl.F_SETFL, fcntl.fcntl(number, fcntl.F_GETFL) | os.O_ASYNC)]
    for request in (0x5452, 0x8901, 0x8902):  # FIOASYNC, FIOSETOWN, SIOCSPGRP
        said += [call({NUMBERS.get("ioctl")}, number, request, ctypes.byref(ctypes.c_int({victim.pid})))]
text = set(said)
"""
    with taken_over() as worker:
        said = answer(worker, program)
        for _ in range(3):  # each of them makes both pipes ready, which is what the signal would tell
            assert answer(worker, "text = 'fire'") == "fire"

    assert said == "{'EPERM'}"
    with pytest.raises(subprocess.TimeoutExpired):
        victim.wait(0.2)


ON_OTHERS = {
    "sched_setaffinity": "{victim}, 8, mask",
    "sched_setscheduler": "{victim}, 3, mask",
    "sched_setparam": "{victim}, mask",
    "sched_setattr": "{victim}, mask, 0",
    "setpriority": "0, {victim}, 19",
    "ioprio_set": "1, {victim}, 3 << 13",
    "prlimit64": "{victim}, 7, mask, None",
    "kill": "{victim}, 0",
    "tgkill": "{victim}, {victim}, 0",
    "tkill": "{victim}, 0",
    "rt_sigqueueinfo": "{victim}, 0, mask",
    "pidfd_open": "{victim}, 0",
    "process_vm_readv": "{victim}, None, 0, None, 0, 0",
    "process_madvise": "0, None, 0, 0, 0",
    "process_mrelease": "0, 0",
    "migrate_pages": "{victim}, 0, None, None",
    "move_pages": "{victim}, 0, None, None, None, 0",
    "ptrace": "16, {victim}, 0, 0",
    "kcmp": "{victim}, {victim}, 1, 0, 0",
    "get_robust_list": "{victim}, mask, mask",
    "sched_getaffinity": "{victim}, 8, mask",
    "setpgid": "{victim}, 0",
    "getpgid": "{victim}",
    "shmget": "0x1234, 4096, 0o1600",
    "shmctl": "0, 14, None",
    "semctl": "0, 0, 3, None",
    "msgctl": "0, 3, None",
    "mq_open": "b'/held', 66, 0o600, None",
    "memfd_create": "b'held', 0",
    "memfd_secret": "0",
    "inotify_init1": "0",
    "inotify_add_watch": "0, b'/tmp', 2",
    "fanotify_init": "0, 0",
    "timer_create": "0, None, mask",
    "io_uring_setup": "8, mask",
    "userfaultfd": "1",
    "perf_event_open": "mask, {victim}, -1, -1, 0",
    "bpf": "0, None, 0",
    "keyctl": "0, 0, 0, 0, 0",
    "add_key": "b'user', b'held', b'x', 1, -3",
    "openat": "-100, b'/etc/passwd', 0",
    "newfstatat": "-100, b'/etc/passwd', mask, 0",
    "statx": "-100, b'/etc/passwd', 0, 2047, mask",
    "readlinkat": "-100, b'/proc/self/exe', mask, 64",
    "getdents64": "0, mask, 64",
    "socket": "1, 1, 0",
    "unshare": "0x10000000",
    "setns": "0, 0",
    "clone": "17, None, None, None, None",
    "clone3": "mask, 64",
    "execve": "b'/bin/true', None, None",
    "seccomp": "1, 0, None",
    "mlockall": "3",
    "setsid": "",
    "flock": "2, 2",
    "ftruncate": "2, 0",
    "fallocate": "2, 0, 0, 4096",
    "splice": "0, None, 1, None, 1, 0",
    "vmsplice": "1, None, 0, 0",
    "tee": "0, 1, 1, 0",
    "reboot": "0, 0, 0, None",
}


@pytest.mark.parametrize("name", ON_OTHERS)
def test_a_worker_does_nothing_to_others_or_the_machine(victim: subprocess.Popen[bytes], name: str) -> None:
    arguments = ON_OTHERS[name].format(victim=victim.pid)
    program = f"mask = ctypes.create_string_buffer(b'\\1', 4096)\ntext = call({NUMBERS[name]}, {arguments})"
    with taken_over() as worker:
        assert answer(worker, program) in REFUSED


ARGUMENTS = {
    "a lease": "tried(fcntl.fcntl, 2, 1024, 0)",
    "news of a folder": "tried(fcntl.fcntl, 2, 1026, 1)",
    "a larger pipe": "tried(fcntl.fcntl, 0, 1031, 1 << 20)",
    "a lock": "tried(fcntl.lockf, 2, 2)",
    "a terminal's input": f"call({NUMBERS.get('ioctl')}, 2, 0x5412, b'x')",
    "life after its parent": f"call({NUMBERS.get('prctl')}, 1, 0, 0, 0, 0)",
    "a dump": f"call({NUMBERS.get('prctl')}, 4, 1, 0, 0, 0)",
    "a tracer": f"call({NUMBERS.get('prctl')}, 0x59616d61, -1, 0, 0, 0)",
    "its group's end": "tried(os.kill, 0, 0)",
    "everybody's end": "tried(os.kill, -1, 0)",
    "a thread within namespaces": f"call({NUMBERS.get('clone')}, 0x10000 | 0x20000, None, None, None, None)",
    "the calls of another machine": "call(0x40000000 + 39)",
    "a call beyond all numbers": "call(1 << 20)",
}


@pytest.mark.parametrize("attempt", ARGUMENTS.values(), ids=list(ARGUMENTS))
def test_an_allowed_call_is_allowed_only_for_what_parsers_need(attempt: str) -> None:
    with taken_over() as worker:
        assert answer(worker, f"text = {attempt}") in REFUSED


def test_whatever_is_not_on_the_list_does_not_exist_for_a_worker() -> None:
    listed = {*ALLOWED.split(), *(name for name, _ in conditions(1))}
    listed |= {"uprobe", "uretprobe"}  # filters do not see these; the kernel kills who calls them without a probe
    allowed = {NUMBERS[name] for name in listed if name in NUMBERS}
    with taken_over() as worker:
        said = answer(worker, f"text = {{call(number) for number in range(600) if number not in {allowed}}}")
    assert said == f"{{{errno.errorcode[errno.ENOSYS]!r}}}"


def test_the_numbers_of_the_calls_are_those_of_the_kernel() -> None:
    headers = HEADERS[platform.machine()]
    if not headers.exists():
        pytest.skip("the kernel's headers are not installed here")
    lines = (line.split() for line in headers.read_text().splitlines() if line.startswith("#define __NR"))
    known = {line[1].split("_", 3)[-1]: int(line[2]) for line in lines if len(line) == 3 and line[2].isdecimal()}
    listed = {*ALLOWED.split(), *(name for name, _ in conditions(1))} & set(known)
    assert len(listed) > 60
    assert {name: NUMBERS[name] for name in listed} == {name: known[name] for name in listed}


def test_a_worker_does_not_fill_the_machine_with_threads() -> None:
    program = """
threading.stack_size(1 << 16)
started = 0
go_on = threading.Event()
try:
    while started < 3000:
        threading.Thread(target=go_on.wait, daemon=True).start()
        started += 1
except RuntimeError:
    pass
go_on.set()
text = started
"""
    with taken_over() as worker:
        started = int(answer(worker, program))
        if Seal.THREADS not in worker.seals:
            pytest.skip("this system counts no process's threads apart")
    assert started < 200


def status(worker: Worker) -> dict[str, str]:
    lines = Path(f"/proc/{worker._process.pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def test_each_worker_of_root_is_a_user_of_its_own() -> None:
    with taken_over() as one, taken_over() as other:
        for worker in (one, other):
            answer(worker, "text = 'fire'")
        if Seal.USER not in one.seals & other.seals:
            pytest.skip("only root can become somebody else")
        users, groups = [status(one)["Uid"], status(other)["Uid"]], status(one)["Groups"]

    assert all(set(user.split()) & {"0", "65534"} == set() for user in users)
    assert users[0] != users[1]
    assert groups == ""


WITHOUT_RIGHT_TO_KILL = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_KILL = 24, 5
ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_KILL, 0, 0, 0)
os.execv(sys.executable, [sys.executable, "-c", sys.argv[1]])
"""
ASKING = """
from ingest_assets.adapters.parsers.sandbox import Worker
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
worker = Worker(ParserLimits())
worker.ask(b"<html><p>fire</p>", "text/html")
print(*worker.seals)
worker.stop()
"""


def test_a_worker_does_not_become_a_user_whom_its_parent_could_not_kill() -> None:
    asking = subprocess.run(
        [sys.executable, "-c", WITHOUT_RIGHT_TO_KILL, ASKING], capture_output=True, text=True, check=True, timeout=60
    )
    assert "filter" in asking.stdout.split()
    assert "user" not in asking.stdout.split()


def test_landlock_holds_a_worker_even_if_its_filter_did_not(victim: subprocess.Popen[bytes]) -> None:
    program = f"text = [tried(open, '/etc/passwd'), tried(open, '/tmp/written', 'w'), tried(os.kill, {victim.pid}, 0)]"
    with taken_over("worker.filter_system_calls = worker.become_nobody_else = lambda: False") as worker:
        said = answer(worker, program)
        if Seal.LANDLOCK not in worker.seals:
            pytest.skip("this kernel has no Landlock")
        assert Seal.FILTER not in worker.seals
    assert said in {"['EACCES', 'EACCES', 'EPERM']", "['EACCES', 'EACCES', 'done']"}  # signals since version 6


@pytest.mark.parametrize("missing", ["leave_namespaces", "become_nobody_else", "lock_files", "filter_system_calls"])
def test_a_worker_without_one_of_its_seals_says_so_and_works(missing: str) -> None:
    room = "ingest_assets.adapters.parsers.sealed"
    program = f"from {room} import worker\nworker.{missing} = lambda: False\nworker.main()"
    seals = []
    for command in (COMMAND, (sys.executable, "-I", "-c", program)):
        worker = Worker(ParserLimits(seconds=60), command)
        try:
            assert "fire" in worker.ask(HTML, FileType.HTML).text
            seals.append(worker.seals)
        finally:
            worker.stop()
    whole, lacking = seals
    held = {"leave_namespaces": Seal.NAMESPACES, "become_nobody_else": Seal.USER, "lock_files": Seal.LANDLOCK}
    assert held.get(missing, Seal.FILTER) not in lacking
    assert lacking < whole or held.get(missing, Seal.FILTER) not in whole


def test_a_worker_that_runs_as_somebody_else_still_ends_with_its_parent() -> None:
    program = """
import sys
from ingest_assets.adapters.parsers.sandbox import Worker
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
worker = Worker(ParserLimits())
worker.ask(b"<html><p>fire</p>", "text/html")
print(worker._process.pid, flush=True)
sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        parent.kill()
        assert ends(orphan)
