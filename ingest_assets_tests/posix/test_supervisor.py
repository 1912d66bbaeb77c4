"""Programs that are kept running: small ones, which are killed, stopped or fail by themselves."""

import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from ingest_assets.domain.restarts import RestartPolicy
from ingest_assets.posix.guardian import exists
from ingest_assets.posix.processes import running
from ingest_assets.posix.supervisor import GaveUpError, Program, Supervised, Supervisor, Watch, explain
from ingest_assets_tests.posix.test_processes import FAMILY, LINUX, PARENT, SLEEP, has_ended, started
from ingest_assets_tests.waiting import until

QUICK = RestartPolicy(first_seconds=0.01, longest_seconds=0.1)


@dataclass
class Kept:
    """A supervisor and what it has said."""

    supervisor: Supervisor
    said: list[str] = field(default_factory=list)

    def next_of(self, supervised: Supervised, before: int | None = None) -> int:
        """Attend until the program has another process, and return its id."""

        def process() -> int | None:
            self.supervisor.attend()
            present = supervised.process.pid if supervised.process else None
            return present if present != before else None

        return int(until(process))


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    said: list[str] = []
    with running(tmp_path / "logs") as processes:
        yield Kept(Supervisor(processes, QUICK, said.append), said)


def attend_forever(supervisor: Supervisor) -> None:
    while True:
        supervisor.attend()


def program(*command: str, answers: bool | None = True, silence: float = 60, needed: bool = True) -> Program:
    return Program("tried", "The program", command, lambda _: answers, silence, silence, linger=0, needed=needed)


def test_a_killed_program_is_started_again_and_the_reason_is_told(kept: Kept) -> None:
    supervised = kept.supervisor.add(program(*SLEEP))
    killed = kept.next_of(supervised)
    psutil.Process(killed).kill()
    kept.next_of(supervised, killed)
    assert kept.said == ["The program was killed (SIGKILL); starting it again in 0.01 s."]


def test_a_program_that_gives_no_answer_is_killed_and_started_again(kept: Kept) -> None:
    supervised = kept.supervisor.add(program(*SLEEP, answers=False, silence=0.5))
    silent = kept.next_of(supervised)
    kept.next_of(supervised, silent)
    assert has_ended(silent)
    assert "has not answered for" in kept.said[0]


def test_nobody_is_blamed_for_an_answer_that_cannot_be_had() -> None:
    watch = Watch(lambda: None, seconds=0.01)
    time.sleep(0.1)
    assert (watch.silent, watch.ready) == (0, False)
    watch.end()


def test_a_question_that_hangs_is_no_answer() -> None:
    asked, over = threading.Event(), threading.Event()

    def hang() -> bool:
        asked.set()
        return over.wait()

    watch = Watch(hang, seconds=0.01, patience=0.01)
    assert asked.wait(60)
    until(lambda: watch.silent > 0)
    over.set()
    until(lambda: watch.ready and watch.silent == 0)
    watch.end()


def test_a_question_that_is_answered_soon_is_no_silence() -> None:
    asked, over = threading.Event(), threading.Event()

    def answer_late() -> bool:
        asked.set()
        return over.wait()

    watch = Watch(answer_late, seconds=0.01, patience=600)
    assert asked.wait(60)
    assert watch.silent == 0
    over.set()
    until(lambda: watch.ready)
    watch.end()


def test_a_program_that_keeps_dying_is_given_up(kept: Kept) -> None:
    kept.supervisor.add(program(sys.executable, "-c", "raise SystemExit(3)"))
    with pytest.raises(GaveUpError) as raised:
        attend_forever(kept.supervisor)
    assert raised.value.deaths == QUICK.most_deaths
    assert kept.said[-1] == "The program has ended (exit code 3)."


def test_a_program_is_not_given_up_while_something_else_is_to_blame_or_nobody_needs_it(kept: Kept) -> None:
    failing = (sys.executable, "-c", "raise SystemExit(3)")
    excused = Supervisor(kept.supervisor.processes, QUICK, kept.said.append)
    excused.add(program(*failing))
    kept.supervisor.add(program(*failing, needed=False))

    def tried_often() -> bool:
        excused.attend(excused=True)
        kept.supervisor.attend()
        return len(kept.said) > 4 * QUICK.most_deaths

    until(tried_often)


def test_what_is_left_of_the_group_ends_before_the_program_starts_again(kept: Kept) -> None:
    supervised = kept.supervisor.add(program(sys.executable, "-c", FAMILY, *SLEEP))
    leader = kept.next_of(supervised)
    [member] = until(lambda: [each for each in psutil.Process(leader).children() if "sleep" in each.cmdline()[-1]])
    psutil.Process(leader).kill()
    kept.next_of(supervised, leader)
    until(lambda: has_ended(member.pid))


@LINUX
def test_a_stopped_child_of_a_killed_parent_ends_with_its_whole_group(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    with started(sys.executable, "-c", PARENT, str(tmp_path), sys.executable, "-c", deaf) as (parent, child):
        psutil.Process(child).suspend()
        parent.kill()
        parent.wait()
        until(lambda: has_ended(child))
        with running(tmp_path):
            assert not exists(child)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-signal.SIGKILL, "was killed (SIGKILL)"),
        (-signal.SIGTERM, "was told to stop (SIGTERM)"),
        (-signal.SIGSEGV, "crashed (SIGSEGV)"),
        (-1000, "was ended by signal 1000"),
        (1, "has ended (exit code 1)"),
    ],
)
def test_an_exit_code_is_explained_in_words(code: int, words: str) -> None:
    assert explain(code) == words
