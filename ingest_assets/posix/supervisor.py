"""Keep programs running: start again what has ended or does not answer, and say why."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ingest_assets.domain.restarts import Life, RestartPolicy, TooManyDeaths, after_death, remembered
from ingest_assets.posix.processes import Processes

ASK_SECONDS = 1
PATIENCE_SECONDS = 2
"""How long a question may wait before it counts as unanswered."""
LONGEST_STEP = 15
"""The most time that counts at once: this process may have been stopped itself meanwhile."""
CAUSES = {
    signal.SIGKILL: "was killed",
    signal.SIGTERM: "was told to stop",
    signal.SIGINT: "was interrupted",
}


@dataclass(frozen=True)
class Program:
    """A program that runs all the time."""

    name: str
    """The name of its log."""
    title: str
    """How a person calls it, at the beginning of a sentence."""
    command: Sequence[str]
    answers: Callable[[int], bool | None]
    """Whether the process with this id answers now; None if that cannot be told. It runs in a thread of its own."""
    silence: float
    """For how many seconds it may give no answer."""
    start_seconds: float = 120
    """How long it may take to answer for the first time."""
    linger: float | None = None
    """How long the rest of its group may go on before it starts again; None means for as long as it wants."""
    needed: bool = True
    """Whether everything stops if it keeps dying."""


class GaveUpError(Exception):
    """A program keeps dying."""

    def __init__(self, program: Program, deaths: int) -> None:
        super().__init__(program.name)
        self.program = program
        self.deaths = deaths


class Watch:
    """A thread that keeps asking whether a process answers."""

    def __init__(
        self, ask: Callable[[], bool | None], seconds: float = ASK_SECONDS, patience: float = PATIENCE_SECONDS
    ) -> None:
        self.ready = False
        """Whether it has ever answered."""
        self._ask = ask
        self._seconds = seconds
        self._patience = patience
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._now = time.monotonic()
        self._since_answer = 0.0
        self._asking: float | None = None
        """For how many seconds the present question has waited, if there is one."""
        self._missing = False
        """Whether the last question got no answer."""
        self._thread = threading.Thread(target=self._watch, name="watch", daemon=True)
        self._thread.start()

    @property
    def silent(self) -> float:
        """For how many seconds it has given no answer, be the question lost or still waiting."""
        with self._lock:
            self._count()
            hangs = self._asking is not None and self._asking > self._patience
            return self._since_answer if self._missing or hangs else 0.0

    @property
    def is_over(self) -> bool:
        return self._over.is_set()

    def end(self) -> None:
        self._over.set()

    def join(self, seconds: float) -> None:
        """Wait until the last question has ended, but not for longer than this."""
        self._thread.join(seconds)

    def _watch(self) -> None:
        while not self._over.wait(self._seconds):
            with self._lock:
                self._count()
                self._asking = 0.0
            try:
                answer = self._ask()
            except Exception:  # whatever goes wrong, it is no answer
                answer = False
            with self._lock:
                self._count()
                self._asking, self._missing = None, answer is False
                self.ready = self.ready or answer is True
                if not self._missing:
                    self._since_answer = 0.0

    def _count(self) -> None:
        """Count the time since this was last called, within bounds: this process may have stood still itself."""
        now = time.monotonic()
        passed, self._now = min(now - self._now, LONGEST_STEP), now
        self._since_answer += passed
        if self._asking is not None:
            self._asking += passed


@dataclass
class Supervised:
    """A program and its present process, if it has one."""

    program: Program
    processes: Processes
    policy: RestartPolicy
    tell: Callable[[str], None]
    process: subprocess.Popen[bytes] | None = None
    watch: Watch | None = None
    began_at: float = 0.0
    start_at: float = 0.0
    ended: int | None = None
    """The process before, of whose group something may be left."""
    lives: tuple[Life, ...] = ()
    """The lives that count."""

    @property
    def is_ready(self) -> bool:
        return self.watch is not None and self.watch.ready

    def attend(self, *, excused: bool) -> None:
        """Start the program if it is time, and notice if it has ended or does not answer.

        Args:
            excused: Whether something else is to blame if it ends, so that it is never given up.

        Raises:
            GaveUpError: It keeps dying.
        """
        if self.process is None:
            if time.monotonic() >= self.start_at:
                self._start()
            return
        code, silence = self.process.poll(), self._too_silent()
        if code is not None:
            self._has_ended(self.process, explain(code), excused=excused)
        elif silence is not None:
            self.process.kill()
            self.process.wait()
            self._has_ended(self.process, f"has not answered for {silence:.0f} s", excused=excused)

    def _start(self) -> None:
        if self.ended is not None and self.program.linger is not None:
            self.processes.kill_rest(self.ended)
        self.ended = None
        process = self.processes.start(self.program.name, self.program.command)
        self.process, self.began_at = process, time.monotonic()
        self.watch = Watch(lambda: self.program.answers(process.pid))

    def _too_silent(self) -> float | None:
        if self.watch is None:
            return None
        limit = self.program.silence if self.watch.ready else self.program.start_seconds
        return self.watch.silent if self.watch.silent > limit else None

    def _has_ended(self, process: subprocess.Popen[bytes], why: str, *, excused: bool) -> None:
        was_ready, now = self.is_ready, time.monotonic()
        if self.watch is not None:
            self.watch.end()
        self.processes.leave(process)
        self.process, self.watch, self.ended = None, None, process.pid
        self.lives = remembered(self.policy, self.lives, Life(self.began_at, now, was_ready))
        decision = after_death(self.policy, self.lives)
        if isinstance(decision, TooManyDeaths):
            if self.program.needed and not excused:
                self.tell(f"{self.program.title} {why}.")
                raise GaveUpError(self.program, decision.deaths)
            seconds = self.policy.longest_seconds
        else:
            seconds = max(decision.seconds, self.program.linger or 0)
        self.start_at = now + seconds
        self.tell(f"{self.program.title} {why}; starting it again in {seconds:g} s.")


@dataclass
class Supervisor:
    """Keeps programs running."""

    processes: Processes
    policy: RestartPolicy
    tell: Callable[[str], None]
    supervised: list[Supervised] = field(default_factory=list)

    def add(self, program: Program) -> Supervised:
        """Start a program and return what becomes of it; `attend` keeps it running."""
        made = Supervised(program, self.processes, self.policy, self.tell)
        self.supervised.append(made)
        made.attend(excused=False)
        return made

    def attend(self, *, excused: bool = False) -> None:
        """Look after every program once.

        Raises:
            GaveUpError: One of them keeps dying.
        """
        self.processes.guard()
        for each in self.supervised:
            each.attend(excused=excused)


def explain(code: int) -> str:
    """Return what an exit code says, in words."""
    if code >= 0:
        return f"has ended (exit code {code})"
    try:
        number = signal.Signals(-code)
    except ValueError:
        return f"was ended by signal {-code}"
    return f"{CAUSES.get(number, 'crashed')} ({number.name})"
