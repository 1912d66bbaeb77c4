"""Decide what becomes of a failed job. The time and the random jitter are arguments."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest_assets.domain.errors import IngestError, OutageError, PermanentError, ResourceError
from ingest_assets.domain.queue.jobs import SLOW_CODES


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    first_delay: timedelta = timedelta(seconds=3)
    longest_delay: timedelta = timedelta(seconds=300)
    retries: int = 3
    """How often a document is tried again for one and the same cause."""
    crashes: int = 3
    """A document that has crashed this many workers is poison."""
    reconnection: timedelta = timedelta(seconds=20)
    """How long workers get to renew their leases after the database server has started; until then, none is dead."""
    resource_delay: timedelta = timedelta(seconds=30)
    """How long a job waits before it asks again for a missing resource."""
    outage_delay: timedelta = timedelta(seconds=10)
    """How long a job waits for what all documents need. Workers do not claim during an outage, so this may be short."""
    longest_asked: timedelta = timedelta(days=1)
    """The longest pause that a provider's request is granted."""
    jitter_share: float = 0.25
    """The most that jitter adds, as a share of the delay, so that jobs that failed together return apart.

    For a delay that a provider asked for, it is a share of at most `longest_delay`.
    """


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Try again at this time; the attempt counts."""

    when: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again at this time; the attempt does not count."""

    when: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Make the document a dead letter."""


Decision = RetryAt | Wait | GiveUp


def delay(policy: RetryPolicy, retry: int) -> timedelta:
    """Return the delay before a retry, without jitter; `retry` counts from 0."""
    exponent = min(retry, 32)
    return min(policy.first_delay * (1 << exponent), policy.longest_delay)


def decide(policy: RetryPolicy, error: IngestError, attempt: int, now: datetime, jitter: float) -> Decision:
    """Return what becomes of a job whose attempt ended in `error`.

    A provider that asked for a longer pause than the policy's gets it.

    Args:
        policy: The delays and the number of retries.
        error: Why the attempt failed.
        attempt: The number of the attempt, from 1, among those that this cause has made fail: what one cause has used
            up, another does not pay for.
        now: The current time.
        jitter: A random number in [0, 1) that spreads the delays.
    """
    retries = policy.retries if error.retries is None else error.retries
    if isinstance(error, ResourceError):
        if error.retries is not None and attempt > error.retries:
            return GiveUp()
        pause = policy.outage_delay if isinstance(error, OutageError) else policy.resource_delay
        if error.code in SLOW_CODES and attempt == 1:
            return Wait(now)  # it has its turn among slow documents as soon as there is room
        return Wait(now + _spread(policy, _longer(policy, pause, error), jitter))
    if isinstance(error, PermanentError) or attempt > retries:
        return GiveUp()
    return RetryAt(now + _spread(policy, _longer(policy, delay(policy, attempt - 1), error), jitter))


def _longer(policy: RetryPolicy, ours: timedelta, error: IngestError) -> timedelta:
    if error.retry_after is None:
        return ours
    asked = min(error.retry_after, policy.longest_asked.total_seconds())
    return max(ours, timedelta(seconds=asked))


def _spread(policy: RetryPolicy, pause: timedelta, jitter: float) -> timedelta:
    return pause + min(pause, policy.longest_delay) * policy.jitter_share * jitter
