"""What `ingest up` keeps running, and how it knows that each part works."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ingest_assets.composition import Deployment
from ingest_assets.domain.errors import IngestError, PermanentError
from ingest_assets.domain.restarts import Life, RestartPolicy, TooManyDeaths, after_death, remembered
from ingest_assets.posix.log_lines import is_json
from ingest_assets.posix.supervisor import GaveUpError, Program, Supervised, Supervisor, Watch, explain

if TYPE_CHECKING:
    from ingest_assets.orchestration.instance import Instance

HOST = "127.0.0.1"
POLL_SECONDS = 0.25
DATABASE_SECONDS = 2
"""How often the database is asked whether it answers."""
END_SECONDS = 20
"""How long the end waits for a question that the database has yet to answer."""
LINGER_SECONDS = 10
"""How long the runs of a killed warm launcher get to end by themselves before another launcher starts."""
DEFINITIONS = "ingest_assets.definitions"
WARM = sys.platform == "linux"
"""Whether forked processes can be relied on; if not, Dagster's default launcher starts all runs."""
QUIET = ["--dagster-log-level", "warning"]
"""Dagster keeps what happened in its database; its logs would grow without limit."""


def daemon(home: Path, instance: "Instance", silence: float) -> Program:
    """Return Dagster's daemon. Runs that its code server has started may go on while it starts again."""
    from ingest_assets.orchestration.liveness import HEARTBEAT_SECONDS, Heartbeats

    command = [_program("dagster-daemon"), "run", "-w", str(home / "workspace.yaml"), "--log-level", "warning"]
    command += _form()
    answers = Heartbeats(instance).answers
    return Program("dagster-daemon", "The Dagster daemon", command, answers, silence + HEARTBEAT_SECONDS)


def webserver(home: Path, port: int, silence: float) -> Program:
    """Return Dagster's page with its code server."""
    from ingest_assets.orchestration.liveness import page_answers

    command = [sys.executable, "-m", "ingest_assets.orchestration.page", "-h", HOST, "-p", str(port)]
    command += ["-w", str(home / "workspace.yaml"), *QUIET, "--code-server-log-level", "warning"]
    command += _form()
    answers = partial(page_answers, f"http://{HOST}:{port}")
    return Program("dagster-webserver", "The Dagster webserver", command, answers, silence, linger=0)


def warm_launcher(home: Path, silence: float) -> Program:
    """Return the warm launcher. Without it, runs only start slowly."""
    from ingest_assets.orchestration.liveness import launcher_answers

    command = [sys.executable, "-m", "ingest_assets.orchestration.warm_launcher", str(home), DEFINITIONS]
    name = "warm-launcher"
    return Program(
        name,
        "The warm launcher",
        command,
        lambda _: launcher_answers(home),
        silence,
        linger=LINGER_SECONDS,
        needed=False,
    )


class DatabaseKeeper:
    """Starts the embedded server again if nobody else does, and knows whether the database answers."""

    def __init__(
        self,
        deployment: Deployment,
        dagster_id: str,
        policy: RestartPolicy,
        tell: Callable[[str], None],
        seconds: float = DATABASE_SECONDS,
    ) -> None:
        self._deployment = deployment
        self._dagster_id = dagster_id
        self._policy = policy
        self._tell = tell
        self._deaths = self._count_deaths()
        self._lives: tuple[Life, ...] = ()
        self._began_at = time.monotonic()
        self._problem: IngestError | None = None
        self._has_twin = False
        self._watch = Watch(self._keep, seconds)

    @property
    def is_away(self) -> bool:
        """Whether the database did not answer when it was last asked, or has yet to."""
        return self._watch.silent > 0

    @property
    def is_ending(self) -> bool:
        return self._watch.is_over

    def check(self) -> None:
        """Raise what keeps the embedded server from starting, if it has been tried too often.

        Raises:
            PermanentError: database_start_failed.
        """
        if self._problem is not None:
            raise self._problem

    def tell_of_others(self) -> None:
        """Tell of other deployments that work on the same database."""
        self._deployment.instances.renew(self._dagster_id)
        for other in self._deployment.instances.others():
            since = f"{other.began_at.astimezone():%Y-%m-%d %H:%M}"
            self._tell(f"Another deployment works on this database: {other.name}, since {since}. See `ingest doctor`.")

    def end(self) -> None:
        """End the watch, and this deployment's lease if the database can be told.

        A round under way ends first: it might begin the lease anew, or the embedded server.
        """
        self._watch.end()
        self._watch.join(END_SECONDS)
        with suppress(IngestError):
            self._deployment.instances.end()

    def _keep(self) -> bool:
        if self._deployment.settings.embedded:
            self._tell_of_deaths()
            self._revive()
        self._deployment.diagnosis.answers()
        if not self.is_ending:
            self._deployment.instances.renew(self._dagster_id)
            self._tell_of_twin()
        return True

    def _tell_of_twin(self) -> None:
        has_twin = self._deployment.instances.is_contested()
        if has_twin and not self._has_twin:
            problem = PermanentError("instance_name_shared")
            self._tell(f"{problem.message} {problem.hint}")
        self._has_twin = has_twin

    def _tell_of_deaths(self) -> None:
        deaths = self._deployment.embedded_postgres.deaths()
        for code in deaths[self._deaths :]:
            why = "gave no answer" if code == -signal.SIGQUIT else explain(code)
            self._tell(f"The database server {why}; it is started again.")
        self._deaths = len(deaths)

    def _revive(self) -> None:
        was_ready = not self.is_away
        try:
            was_gone = self._deployment.embedded_postgres.revive()
        except PermanentError as error:
            self._note_end(error, was_ready=was_ready)
            raise
        if was_gone:
            self._tell("The database server's supervisor had ended; both have been started again.")
            self._note_end(PermanentError("database_start_failed"), was_ready=was_ready)

    def _note_end(self, problem: IngestError, *, was_ready: bool) -> None:
        now = time.monotonic()
        self._lives = remembered(self._policy, self._lives, Life(self._began_at, now, was_ready=was_ready))
        self._began_at = now
        if isinstance(after_death(self._policy, self._lives), TooManyDeaths):
            self._problem = problem

    def _count_deaths(self) -> int:
        return len(self._deployment.embedded_postgres.deaths()) if self._deployment.settings.embedded else 0


def until_ready(supervisor: Supervisor, database: DatabaseKeeper, awaited: list[Supervised]) -> None:
    """Return once these programs answer.

    Raises:
        PermanentError: process_keeps_ending or database_start_failed.
    """
    rounds = attending(supervisor, database)
    while not all(each.is_ready for each in awaited):
        next(rounds)


def attending(supervisor: Supervisor, database: DatabaseKeeper) -> Iterator[None]:
    """Look after everything, forever, and yield after each round.

    Raises:
        PermanentError: process_keeps_ending or database_start_failed.
    """
    while True:
        database.check()
        try:
            supervisor.attend(excused=database.is_away)
        except GaveUpError as error:
            log = f"dagster/logs/{error.program.name}.log"
            raise PermanentError(
                "process_keeps_ending", name=error.program.title, found=error.deaths, place=log
            ) from None
        yield
        time.sleep(POLL_SECONDS)


def _form() -> list[str]:
    """Return how Dagster's programs are to write what they log before this code is loaded there."""
    return ["--log-format", "json"] if is_json() else []


def _program(name: str) -> str:
    return str(Path(sys.executable).parent / name)
