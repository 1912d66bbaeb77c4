"""What a fault is: a name, what it does to the patient, and what it needs there."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import TypeVar

from ingest_assets_tests.faults.harness.deployment.patient import Patient

TARGET_SECONDS = 20.0
"""How long a fault waits for what it strikes."""
POLL_SECONDS = 0.02

Found = TypeVar("Found")


class NoTargetError(Exception):
    """What the fault strikes did not appear."""


class Work(StrEnum):
    """What must be submitted so that the fault finds its target."""

    NONE = "none"
    FEW = "few documents, which get runs of their own"
    BACKLOG = "a backlog, which gets a drain run"
    FILES = "files that the local parser reads"
    PAGES = "files that the paid parser reads"


@dataclass(frozen=True, slots=True)
class Struck:
    what: str
    begun: float
    """In seconds since 1970."""
    ended: float
    """When the fault was over; for a kill, when it came."""


Act = Callable[[Patient, Random], Struck]


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    act: Act
    """Raises NoTargetError."""
    work: Work = Work.BACKLOG
    kills: bool = False
    """Whether it ends a process."""
    calls: bool = True
    """Whether a command may come by right after it; without one, the deployment must help itself."""
    missing: str | None = None
    """What this machine lacks for it."""


def await_target(look: Callable[[], Found | None], seconds: float = TARGET_SECONDS) -> Found:
    """Return what was looked for.

    Raises:
        NoTargetError: It did not appear in time.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise NoTargetError
        time.sleep(POLL_SECONDS)
    return found


def at_once(what: str) -> Struck:
    now = time.time()
    return Struck(what, now, now)


def lasting(what: str, begun: float) -> Struck:
    return Struck(what, begun, time.time())
