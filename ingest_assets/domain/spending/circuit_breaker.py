"""Decide whether a failing provider is called at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from itertools import takewhile

from ingest_assets.domain.errors import PermanentError, ResourceError


class CallOutcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The failure is the provider's own."""
    INCONCLUSIVE = "inconclusive"
    """The call says nothing about the provider: the content, a missing resource or an interruption made it fail."""


class Admission(Enum):
    FREE = auto()
    PROBE = auto()
    """This call finds out whether the provider works again; no other call is made meanwhile."""
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    consecutive_failures: int = 5
    failure_share: float = 0.5
    window: timedelta = timedelta(seconds=60)
    """Calls that ended before the window do not count."""
    most_calls: int = 50
    """How many of the last calls in the window count at most."""
    fewest_calls: int = 10
    """The failure share says nothing about fewer calls than this."""
    open_for: timedelta = timedelta(seconds=30)
    probe_for: timedelta = timedelta(minutes=2)
    """A probe that has not ended after this time makes room for another one."""

    def __post_init__(self) -> None:
        if not 1 <= self.consecutive_failures <= self.most_calls or not 1 <= self.fewest_calls <= self.most_calls:
            raise ValueError("the breaker must look at as many calls as it judges by")


def admit(open_until: datetime | None, now: datetime) -> Admission:
    """Return whether a call may be made.

    Args:
        open_until: When the breaker is to be tried again; None if it is closed. Afterwards it is half open.
        now: The current time.
    """
    if open_until is None:
        return Admission.FREE
    return Admission.REFUSED if now < open_until else Admission.PROBE


def outcome_of(error: BaseException | None) -> CallOutcome:
    """Return what a call's error, or None for a success, says about its provider."""
    if error is None:
        return CallOutcome.SUCCEEDED
    blames_provider = isinstance(error, Exception) and not isinstance(error, PermanentError | ResourceError)
    return CallOutcome.FAILED if blames_provider else CallOutcome.INCONCLUSIVE


def opens(recent: Sequence[CallOutcome], settings: BreakerSettings) -> bool:
    """Return whether these outcomes, newest first, open a closed breaker."""
    failures = [outcome is CallOutcome.FAILED for outcome in recent]
    in_a_row = sum(1 for _ in takewhile(bool, failures))
    too_many = len(failures) >= settings.fewest_calls and sum(failures) >= settings.failure_share * len(failures)
    return in_a_row >= settings.consecutive_failures or too_many
