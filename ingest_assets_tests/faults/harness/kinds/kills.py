"""Kill -9 and SIGTERM of every kind of process."""

import os
import signal
import time
from contextlib import suppress
from random import Random

from ingest_assets_tests.faults.harness.deployment.patient import Patient
from ingest_assets_tests.faults.harness.kinds import targets
from ingest_assets_tests.faults.harness.kinds.fault import (
    Act,
    Fault,
    NoTargetError,
    Struck,
    Work,
    at_once,
    await_target,
)
from ingest_assets_tests.faults.harness.kinds.targets import Target

LONGEST_DELAY = 1.2
"""Seconds between the moment when the target is there and the strike: somewhere in its work."""
MOST_TRIES = 5
SIGNALS = {"kill": signal.SIGKILL, "terminate": signal.SIGTERM}

PROCESSES: tuple[tuple[str, Target, Work], ...] = (
    ("daemon", targets.role("daemon"), Work.FEW),
    ("webserver", targets.role("webserver"), Work.FEW),
    ("code server", targets.role("code_server"), Work.FEW),
    ("warm launcher", targets.role("launcher"), Work.FEW),
    ("drain worker", targets.drain_workers, Work.BACKLOG),
    ("partition worker", targets.partition_workers, Work.FEW),
    ("parser", targets.role("parser"), Work.FILES),
    ("postmaster", targets.postmaster, Work.BACKLOG),
    ("database supervisor", targets.role("database_supervisor"), Work.FEW),
    ("backend", targets.backend, Work.BACKLOG),
    ("up", targets.up, Work.BACKLOG),
)


def one_of(target: Target, number: signal.Signals) -> Act:
    """Strike one of the target's processes, somewhere in its work."""

    def act(patient: Patient, chance: Random) -> Struck:
        for _ in range(MOST_TRIES):
            await_target(lambda: target(patient))
            time.sleep(chance.uniform(0, LONGEST_DELAY))
            for pid in chance.sample(found := target(patient), len(found)):
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
                    return at_once(f"process {pid}")
        raise NoTargetError

    return act


def all_of(target: Target) -> Act:
    """Kill all of the target's processes, in order."""

    def act(patient: Patient, chance: Random) -> Struck:
        found = await_target(lambda: target(patient))
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return at_once(f"{len(found)} processes")

    return act


def intake(number: signal.Signals) -> Act:
    """Strike an `ingest submit` in the middle; its owner does not know what was accepted."""

    def act(patient: Patient, chance: Random) -> Struck:
        papers = patient.library.write_new(2)
        written = {str(paper.path): paper.written for paper in papers}
        with patient.start_command("submit", *written, "--user", papers[0].user, "--json") as process:
            time.sleep(chance.uniform(0.2, 1.4))
            process.send_signal(number)
            told, _ = process.communicate()
        if process.returncode == 0:
            patient.note_accepted(told, written)
        return at_once(f"{len(papers)} documents under way")

    return act


KILLS = (
    *(
        Fault(f"{verb} {name}", one_of(target, number), work, kills=True)
        for name, target, work in PROCESSES
        for verb, number in SIGNALS.items()
    ),
    *(Fault(f"{verb} submit", intake(number), Work.NONE, kills=True) for verb, number in SIGNALS.items()),
    Fault(
        "kill database and its supervisor",
        all_of(targets.database_and_supervisor),
        Work.BACKLOG,
        kills=True,
        calls=False,
    ),
    Fault("kill all drain workers", all_of(targets.drain_workers), Work.BACKLOG, kills=True),
)
