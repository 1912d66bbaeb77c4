"""Whether a provider that keeps failing is called at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from itertools import takewhile

from ingest_assets.domain.errors import PermanentError, ResourceError


class CallOutcome(StrEnum):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The provider's own failure."""
    INCONCLUSIVE = "inconclusive"
    """It says nothing about the provider: the content's fault, a missing resource, an interrupted worker."""


class Admission(Enum):
    FREE = auto()
    PROBE = auto()
    """This call finds out whether the provider is well again; nobody else calls it meanwhile."""
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class BreakerSettings:
    consecutive_failures: int = 5
    failure_share: float = 0.5
    window: timedelta = timedelta(seconds=60)
    """Calls that ended before it do not count."""
    most_calls: int = 50
    """At most so many of the window's last calls count."""
    fewest_calls: int = 10
    """The failure share says nothing about fewer calls."""
    open_for: timedelta = timedelta(seconds=30)
    probe_for: timedelta = timedelta(minutes=2)
    """A probe that has not ended by then makes room for another one."""

    def __post_init__(self) -> None:
        if not 1 <= self.consecutive_failures <= self.most_calls or not 1 <= self.fewest_calls <= self.most_calls:
            raise ValueError("the breaker must look at as many calls as it judges by")


def admit(open_until: datetime | None, now: datetime) -> Admission:
    """`open_until` is None while the breaker is closed; when it has passed, the breaker is half open."""
    if open_until is None:
        return Admission.FREE
    return Admission.REFUSED if now < open_until else Admission.PROBE


def outcome_of(error: BaseException | None) -> CallOutcome:
    """Return what a call that ended so says about its provider."""
    if error is None:
        return CallOutcome.SUCCEEDED
    blames_provider = isinstance(error, Exception) and not isinstance(error, PermanentError | ResourceError)
    return CallOutcome.FAILED if blames_provider else CallOutcome.INCONCLUSIVE


def opens(recent: Sequence[CallOutcome], settings: BreakerSettings) -> bool:
    """Whether these outcomes, newest first, open a closed breaker."""
    failures = [outcome is CallOutcome.FAILED for outcome in recent]
    in_a_row = sum(1 for _ in takewhile(bool, failures))
    too_many = len(failures) >= settings.fewest_calls and sum(failures) >= settings.failure_share * len(failures)
    return in_a_row >= settings.consecutive_failures or too_many
