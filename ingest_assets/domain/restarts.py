"""Decide when to start a process again that has ended, and when to give up."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    first_seconds: float = 1
    """The first pause; each further death in a row doubles it."""
    longest_seconds: float = 30
    quiet_seconds: float = 60
    """How long a process must have lived for its earlier deaths to be forgotten."""
    most_deaths: int = 5
    """So many deaths within `within_seconds`, or so many in a row before the process was ready, are too many."""
    within_seconds: float = 60


@dataclass(frozen=True, slots=True)
class Life:
    """One life of a process, in seconds of one clock."""

    began_at: float
    ended_at: float
    was_ready: bool
    """Whether it had begun to do its work."""


@dataclass(frozen=True, slots=True)
class Restart:
    seconds: float
    """How long to pause first."""


@dataclass(frozen=True, slots=True)
class TooManyDeaths:
    deaths: int


def remembered(policy: RestartPolicy, earlier: tuple[Life, ...], last: Life) -> tuple[Life, ...]:
    """Return the lives that count from now on; a long life wipes out those before it."""
    if last.was_ready and last.ended_at - last.began_at >= policy.quiet_seconds:
        return (last,)
    return (*earlier, last)[-policy.most_deaths :]


def after_death(policy: RestartPolicy, lives: tuple[Life, ...]) -> Restart | TooManyDeaths:
    """Return what to do now that the last of these remembered lives has ended."""
    last = lives[-1]
    recent = sum(last.ended_at - life.ended_at < policy.within_seconds for life in lives)
    never_ready = not any(life.was_ready for life in lives)
    if len(lives) >= policy.most_deaths and (recent >= policy.most_deaths or never_ready):
        return TooManyDeaths(len(lives))
    return Restart(pause(policy, len(lives)))


def pause(policy: RestartPolicy, deaths: int) -> float:
    """Return the pause after so many deaths in a row."""
    return float(min(policy.longest_seconds, policy.first_seconds * 2 ** (deaths - 1)))
