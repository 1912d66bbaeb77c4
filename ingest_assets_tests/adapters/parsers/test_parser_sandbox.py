"""What holds a parser back: workers that do whatever their document says, and real ones with real limits."""

import os
import platform
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Barrier, Thread

import pytest

from ingest_assets.adapters.parsers import pool
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.parsers.pool import WorkerPool
from ingest_assets.adapters.parsers.sandbox import COMMAND, Worker
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.adapters.parsers.sealed.seals import Seal
from ingest_assets.domain.errors import IngestError, TransientError
from ingest_assets.domain.files.file_types import FileType
from ingest_assets.posix.oom_kills import oom_kills
from ingest_assets_tests.contracts.parser_contract import parse, refusal

OBEDIENT_WORKER = """
import ctypes, os, resource, signal, socket, sys, threading, time
from ingest_assets.adapters.parsers.sealed import worker

def saying(**claims):
    return {"page_starts": [], "warnings": {}, "attachments": []} | claims

def obey(header, content, limits):
    scope = dict(globals())
    exec(content, scope)
    return scope.get("reply", saying()), scope.get("body", str(scope.get("text")).encode())

worker._load = worker._start_threads = lambda: None  # the parsers, which are not needed here
worker._answer = obey
worker.main()
"""
OBEDIENT = (sys.executable, "-I", "-c", OBEDIENT_WORKER)
HTML = b"<html><h1>Cover</h1><p>fire</p>"
HEAVY_HTML = b"<html>" + b"<p>fire <b>and</b> flood</p>" * 400_000
NETWORK = Path("/proc/self/ns/net")
HANG = "import time; time.sleep(3600)"
SECONDS_UNTIL_GIVEN_UP = 60


@contextmanager
def worker(
    limits: ParserLimits | None = None,
    command: Sequence[str] = OBEDIENT,
    oom_kills: Callable[[], int | None] = oom_kills,
) -> Iterator[Worker]:
    started = Worker(limits or ParserLimits(), command, oom_kills)
    try:
        yield started
    finally:
        started.stop()


def failure(of: Worker, program: str) -> IngestError:
    with pytest.raises(IngestError) as failed:
        of.ask(program.encode(), FileType.HTML)
    return failed.value


def answer(of: Worker, program: str) -> str:
    return of.ask(program.encode(), FileType.HTML).text


def ends(process: int) -> bool:
    """Waits for a process that need not be a child."""
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], SECONDS_UNTIL_GIVEN_UP)[0])
    finally:
        os.close(handle)


def test_a_document_that_takes_too_long_is_a_timeout_and_its_worker_is_not_used_again() -> None:
    with worker(ParserLimits(seconds=0.3)) as hanging:
        error = failure(hanging, HANG)

        assert isinstance(error, TransientError)
        assert error.code == "timeout"
        assert not hanging.is_fit


def test_processor_time_above_the_limit_is_a_timeout() -> None:
    program = "import os, signal; os.kill(os.getpid(), signal.SIGXCPU)"
    with worker() as busy:
        assert failure(busy, program).code == "timeout"


def test_processor_time_is_counted_per_document() -> None:
    program = "import resource as r; text = r.getrlimit(r.RLIMIT_CPU)[0] - r.getrusage(r.RUSAGE_SELF).ru_utime"
    with worker(ParserLimits(seconds=60)) as busy:
        burn = "import time\nwhile time.process_time() < 2: pass\n"
        assert float(answer(busy, burn + program)) > 58
        assert float(answer(busy, program)) > 60


@pytest.mark.parametrize(
    "program",
    [
        "import os, sys; print('memory allocation of 9 bytes failed', file=sys.stderr, flush=True); os.abort()",
        "bytearray(1 << 40)",
    ],
    ids=["aborted by Rust", "not caught in Python"],
)
def test_a_worker_that_dies_of_memory_says_so(program: str) -> None:
    with worker() as greedy:
        error = failure(greedy, program)

        assert error.code == "out_of_memory"
        assert not greedy.is_fit


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGUSR1])
def test_a_worker_that_is_killed_from_outside_says_so_and_blames_no_document(number: signal.Signals) -> None:
    with worker() as killed:
        error = failure(killed, f"os.kill(os.getpid(), {number})")

        assert (error.code, error.kind) == ("parser_killed", "transient")
        assert error.message == f"The parser was killed or stopped from outside (signal {number.value})."
        assert not killed.is_fit


@dataclass
class Kernel:
    """Counts the processes that it has killed for want of memory: one more whenever it is asked, if it `kills`."""

    kills: bool
    counted: int = 7

    def oom_kills(self) -> int:
        self.counted += self.kills
        return self.counted


@pytest.mark.parametrize(("kills", "code"), [(True, "host_out_of_memory"), (False, "parser_killed")])
def test_a_killed_worker_died_of_memory_only_if_the_kernel_counted_that(kills: bool, code: str) -> None:  # noqa: FBT001
    with worker(oom_kills=Kernel(kills).oom_kills) as killed:
        assert failure(killed, "os.kill(os.getpid(), signal.SIGKILL)").code == code


def test_a_kernel_that_tells_nothing_proves_nothing() -> None:
    with worker(oom_kills=lambda: None) as killed:
        assert failure(killed, "os.kill(os.getpid(), signal.SIGKILL)").code == "parser_killed"


def test_what_an_earlier_document_printed_about_memory_says_nothing_about_a_later_one() -> None:
    with worker() as warned:
        answer(warned, "print('caught a MemoryError', file=sys.stderr, flush=True)")
        assert failure(warned, "os.kill(os.getpid(), signal.SIGKILL)").code == "parser_killed"
    with worker() as warned:
        answer(warned, "print('caught a MemoryError', file=sys.stderr, flush=True)")
        assert failure(warned, "os.abort()").code == "parser_crashed"


def test_last_words_are_heard_however_much_earlier_documents_printed() -> None:
    with worker() as chatty:
        for _ in range(3):
            answer(chatty, "try: print('x' * 500_000, file=sys.stderr, flush=True)\nexcept OSError: pass")
        assert failure(chatty, "bytearray(1 << 40)").code == "out_of_memory"


def test_a_worker_that_is_stopped_from_outside_ends_at_its_time_limit_and_says_so() -> None:
    with worker(ParserLimits(seconds=0.3)) as stopped:
        stopped.ask(b"text = 'it has started'", FileType.HTML, SECONDS_UNTIL_GIVEN_UP)
        error = failure(stopped, "os.kill(os.getpid(), signal.SIGSTOP)")

        assert (error.code, error.message) == (
            "parser_killed",
            f"The parser was killed or stopped from outside (signal {signal.SIGSTOP.value}).",
        )
        assert not stopped.is_fit


@pytest.mark.parametrize(
    "program",
    [
        "import os; os._exit(0)",
        "import os; os.abort()",
        "raise ValueError('Epidermolysis')",
        "import os; os.close(3); os.close(1)",
        "import os\nfor n in range(3, 20):\n  try: os.write(n, b'x' * 1000)\n  except OSError: pass",
        "text = 'x' * 2_000_000",
    ],
    ids=["exit", "abort", "exception", "closed", "nonsense", "too long"],
)
def test_a_worker_that_breaks_down_is_a_crash(program: str) -> None:
    with worker(ParserLimits(output_bytes=1000, seconds=20)) as broken:
        error = failure(broken, program)

        assert error.code == "parser_crashed"
        assert "Epidermolysis" not in str((error, error.hint, error.__cause__))
        assert not broken.is_fit


def test_what_a_library_prints_does_not_reach_the_protocol() -> None:
    with worker() as chatty:
        assert answer(chatty, "import os; print('x' * 1000, flush=True); os.write(1, b'y'); text = 'fine'") == "fine"


OPEN_FILES = """
text = "open:"
for number in range(200):
  try: text += f" {number} {os.fstat(number).st_ino}"
  except OSError: pass
"""


def test_a_worker_inherits_no_secrets_and_no_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "inherited")
    with (tmp_path / "secrets").open("w") as secrets, socket.create_server(("127.0.0.1", 0)) as server:
        held = {os.fstat(each.fileno()).st_ino for each in (secrets, server)}
        for each in (secrets, server):
            os.set_inheritable(each.fileno(), True)  # noqa: FBT003
        with worker() as confined:
            assert "inherited" not in answer(confined, "text = dict(os.environ)")
            assert not held & {int(number) for number in answer(confined, OPEN_FILES).split()[2::2]}


def test_a_worker_is_in_no_network() -> None:
    with worker() as confined:
        answer(confined, "text = 'fire'")
        if Seal.NAMESPACES not in confined.seals:
            pytest.skip("this system lets no process leave the network")
        assert Path(f"/proc/{confined._process.pid}/ns/net").readlink() != NETWORK.readlink()


REACHING_OUT = {
    "its parent's secrets": "open(f'/proc/{os.getppid()}/environ')",
    "a file to read": "open('/etc/passwd')",
    "a file to write": "open('/tmp/written', 'w')",
    "a file in memory": "os.memfd_create('held')",
    "a folder": "os.mkdir('/tmp/made')",
    "a list of files": "os.listdir('/')",
    "a deletion": "os.unlink('/tmp/nothing')",
    "a socket": "socket.socket()",
    "a socket of the machine": "socket.socket(socket.AF_UNIX)",
    "a pair of sockets": "socket.socketpair()",
    "a process": "os.fork()",
    "a program": "os.posix_spawn('/bin/true', ['true'], {})",
    "another program in its place": "os.execv('/bin/true', ['true'])",
    "its parent's life": "os.kill(os.getppid(), 0)",
    "a hold on its parent": "os.pidfd_open(os.getppid())",
    "its parent's limits": "resource.prlimit(os.getppid(), resource.RLIMIT_CPU, (1, 1))",
    "more memory": "resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2)",
}
REACHED = "try:\n  {0}\n  text = 'reached'\nexcept (OSError, ValueError) as error:\n  text = str(error)"
FILTERED = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"},
    reason="this system has no filter of system calls",
)


@FILTERED
@pytest.mark.parametrize("reach", REACHING_OUT.values(), ids=list(REACHING_OUT))
def test_a_worker_reaches_nothing_but_its_document(reach: str) -> None:
    with worker() as confined:
        refused = answer(confined, REACHED.format(reach))

        assert "not implemented" in refused or "ermitted" in refused or "allowed" in refused, refused


@FILTERED
def test_a_worker_s_threads_still_start() -> None:
    program = "made = []\nfor n in range(3):\n  t = threading.Thread(target=made.append, args=[n]); t.start(); t.join()"
    with worker() as confined:
        assert answer(confined, f"{program}\ntext = made") == "[0, 1, 2]"


@FILTERED
def test_the_real_worker_has_no_capability_and_every_thread_of_it_is_filtered() -> None:
    with worker(command=COMMAND) as real:
        real.ask(HTML, FileType.HTML)
        statuses = [path.read_text() for path in Path(f"/proc/{real._process.pid}/task").glob("*/status")]

    assert len(statuses) > 1
    for status in statuses:
        fields = dict(line.split(":\t", 1) for line in status.splitlines())
        assert int(fields["CapEff"], 16) == 0
        assert (fields["Seccomp"], fields["NoNewPrivs"]) == ("2", "1")


def test_a_worker_has_no_scratch_folder_writes_next_to_nothing_and_leaves_no_core() -> None:
    program = (
        "text = [resource.getrlimit(x) for x in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_AS)]"
    )
    with worker(ParserLimits(memory_mb=1000)) as confined:
        assert answer(confined, program) == str([(size, size) for size in (1 << 20, 0, 1000 << 20)])
        assert not Path(answer(confined, "text = os.environ['TMPDIR']")).exists()


LIES = {
    "pages before the text": "reply, text = saying(page_starts=[-1]), 'fire'",
    "pages behind the text": "reply, text = saying(page_starts=[5]), 'fire'",
    "pages in no order": "reply, text = saying(page_starts=[3, 1]), 'fire'",
    "pages that are no numbers": "reply, text = saying(page_starts=['1', True, None]), 'fire'",
    "pages that are no list": "reply, text = saying(page_starts={'0': 0}), 'fire'",
    "more pages than allowed": "reply, text = saying(page_starts=[0] * 21), 'fire'",
    "unknown warnings": "reply, text = saying(warnings={'fire': 1}), 'fire'",
    "warnings that are no numbers": "reply, text = saying(warnings={'hidden_rows': '1'}), 'fire'",
    "warnings that are no object": "reply, text = saying(warnings=[1]), 'fire'",
    "attachments behind the answer": "reply, text = saying(attachments=[['a', 5]]), 'fire'",
    "attachments of no size": "reply, text = saying(attachments=[['a', -1]]), 'fire'",
    "two attachments of one name": "reply, text = saying(attachments=[['a', 1], ['a', 1]]), 'fire'",
    "an attachment without a name": "reply, text = saying(attachments=[['', 1]]), 'fire'",
    "an attachment whose name is no text": "reply, text = saying(attachments=[[1, 1]]), 'fire'",
    "an attachment with a hidden character": "reply, text = saying(attachments=[['a\\0', 1]]), 'fire'",
    "too many attachments": "reply, text = saying(attachments=[*([str(n), 0] for n in range(201))]), 'fire'",
    "no pages at all": "reply, text = {}, 'fire'",
    "no size of its own": "text, worker.write_frame = 'fire', unsized",
    "a zero": "text = 'fire\\0'",
    "an escape sequence": "text = 'fire\\x1b]0;title\\x07'",
    "half a character": "body = 'fire'.encode() + b'\\xed\\xa0\\x80'",
    "no words": "text = ' '",
    "a code of no parser": "reply = {'code': 'claim_lost'}",
    "a code of nobody": "reply = {'code': 'Epidermolysis'}",
    "a code that is none": "reply = {'code': ['bomb']}",
    "a document's text for a number": "reply = {'code': 'too_many_pages', 'pages': 'Epidermolysis'}",
    "a header without an end": "body = raw(b'[' * 100_000)",
}
LYING_WORKER = OBEDIENT_WORKER.replace(
    "worker._load",
    """
def raw(header):
    os.write(3, worker.write_frame.__globals__["LENGTHS"].pack(len(header), 0) + header)
    time.sleep(3600)

def unsized(stream, header, body):
    from_frames(stream, header | {"resident_mb": "big"}, body)

from_frames = worker.write_frame
worker._load""",
    1,
)


@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
def test_a_worker_that_lies_is_a_crash_and_not_asked_again(lie: str) -> None:
    command = (sys.executable, "-I", "-c", LYING_WORKER)
    with worker(ParserLimits(pages=20, seconds=20), command) as lying:
        error = failure(lying, lie)

        assert error.code == "parser_crashed"
        assert "Epidermolysis" not in str((error, error.hint, error.__cause__))
        assert not lying.is_fit


def test_children_of_a_worker_are_killed_with_it() -> None:
    """Where no filter keeps it from having any."""
    with_child = OBEDIENT_WORKER.replace("worker.main()", "child = os.fork()\nif child == 0: time.sleep(3600)\n") + (
        "worker.main()"
    )
    with worker(command=(sys.executable, "-I", "-c", with_child)) as parent:
        child = int(answer(parent, "text = child"))
        parent.stop()
        assert ends(child)


def test_a_worker_does_not_outlive_a_killed_parent() -> None:
    program = f"""
import sys, time
from ingest_assets.adapters.parsers.sealed.limits import ParserLimits
from ingest_assets.adapters.parsers.sandbox import Worker
worker = Worker(ParserLimits(), {OBEDIENT!r})
worker.ask(b"", "text/html")
print(worker._process.pid, flush=True)
worker.ask({HANG.encode()!r}, "text/html")
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        orphan = int(parent.stdout.readline())
        parent.kill()
        assert ends(orphan)


def test_a_worker_outlives_the_thread_that_first_asked_for_it() -> None:
    workers = WorkerPool(ParserLimits(workers=1))
    served = []

    def serve() -> None:
        with workers.borrow() as one:
            one.ask(HTML, FileType.HTML)
            served.append(one)

    for thread in [Thread(target=serve), Thread(target=serve)]:
        thread.start()
        thread.join()
    workers.close()

    assert served[0] is served[1]


@pytest.mark.parametrize("limits", [ParserLimits(documents_per_worker=2), ParserLimits(resident_mb=1)])
def test_a_worker_is_replaced_after_its_documents_or_its_growth(limits: ParserLimits) -> None:
    workers = WorkerPool(limits)
    served = []
    for _ in range(4):
        with workers.borrow() as one:
            one.ask(HTML, FileType.HTML)
            served.append(one)
    workers.close()

    assert len(set(served)) == (2 if limits.documents_per_worker == 2 else 4)
    assert not any(one.is_fit for one in served)


def test_a_worker_does_not_answer_for_the_memory_of_a_large_parent() -> None:
    ballast = bytearray(os.urandom(1 << 20)) * 400
    workers = WorkerPool(ParserLimits(resident_mb=300, workers=1))
    served = []
    for _ in range(2):
        with workers.borrow() as one:
            one.ask(HTML, FileType.HTML)
            served.append(one)
    workers.close()

    assert len(ballast) > 300 << 20
    assert served[0] is served[1]


def test_no_more_workers_than_allowed_are_ever_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Worker] = []

    def start(limits: ParserLimits) -> Worker:
        started.append(Worker(limits, OBEDIENT))
        return started[-1]

    monkeypatch.setattr(pool, "Worker", start)
    workers = WorkerPool(ParserLimits(workers=2))
    both_at_work = Barrier(2, timeout=SECONDS_UNTIL_GIVEN_UP)

    def serve(number: int) -> str:
        with workers.borrow() as one:
            both_at_work.wait()
            return answer(one, f"text = {number}")

    with ThreadPoolExecutor(6) as callers:
        answers = list(callers.map(serve, range(6)))
    workers.close()

    assert answers == [str(number) for number in range(6)]
    assert len(started) == 2


def test_a_forked_process_starts_its_own_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = WorkerPool(ParserLimits(workers=1))
    with workers.borrow() as first:
        first.ask(HTML, FileType.HTML)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    with workers.borrow() as second:
        assert second is not first
    first.stop()
    workers.close()


def test_an_interrupted_caller_leaves_no_half_read_worker_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    workers = WorkerPool(ParserLimits(workers=1))
    asked = []

    def interrupted_ask() -> None:
        with workers.borrow() as one, monkeypatch.context() as patch:
            asked.append(one)
            patch.setattr(one, "_exchange", interrupt)
            one.ask(HTML, FileType.HTML)

    with pytest.raises(KeyboardInterrupt):
        interrupted_ask()
    with workers.borrow() as fresh:
        assert "fire" in fresh.ask(HTML, FileType.HTML).text
    workers.close()

    assert fresh is not asked[0]


def interrupt(content: bytes, media_type: str) -> None:
    raise KeyboardInterrupt


def test_a_worker_that_died_while_idle_is_replaced_unnoticed() -> None:
    parser = LocalParser(ParserLimits(workers=1))
    parse(parser, HTML, FileType.HTML)
    idle = parser._pool._idle_worker()
    assert idle is not None
    parser._pool._give_back(idle)
    os.kill(idle._process.pid, signal.SIGKILL)
    assert ends(idle._process.pid)

    assert "fire" in parse(parser, HTML, FileType.HTML).text
    parser.close()


def test_a_real_document_that_needs_too_much_memory_is_out_of_memory() -> None:
    parser = LocalParser(ParserLimits(memory_mb=600))
    assert refusal(parser, HEAVY_HTML, FileType.HTML).code == "out_of_memory"
    assert "fire" in parse(parser, HTML, FileType.HTML).text
    parser.close()


def test_a_real_document_that_takes_too_long_is_a_timeout() -> None:
    parser = LocalParser(ParserLimits(seconds=1.5))
    assert refusal(parser, HEAVY_HTML, FileType.HTML).code == "timeout"
    parser.close()


def test_the_program_of_a_worker_is_isolated_from_the_user_s_python_settings() -> None:
    assert "-I" in COMMAND
