"""What becomes of a job that failed. Time and chance are arguments."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest_assets.domain.errors import IngestError, PermanentError, ResourceError


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    first_delay: timedelta = timedelta(seconds=3)
    longest_delay: timedelta = timedelta(seconds=300)
    retries: int = 3
    crashes: int = 3
    """After so many dead workers a document is poison."""
    resource_delay: timedelta = timedelta(seconds=30)
    """How long a job waits before it asks again for what was not available."""
    longest_asked: timedelta = timedelta(days=1)
    """A provider that asks for a longer pause is called again after this one."""
    jitter_share: float = 0.25
    """Up to this share of a delay is added to it, so that jobs that failed together return apart; of a delay that a
    provider asked for, up to this share of `longest_delay`."""


@dataclass(frozen=True, slots=True)
class RetryAt:
    """Try again then; this attempt counts."""

    when: datetime


@dataclass(frozen=True, slots=True)
class Wait:
    """Try again then; this attempt does not count."""

    when: datetime


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A dead letter."""


Decision = RetryAt | Wait | GiveUp


def delay(policy: RetryPolicy, retry: int) -> timedelta:
    """The base curve without jitter: `retry` counts from 0."""
    exponent = min(retry, 32)
    return min(policy.first_delay * (1 << exponent), policy.longest_delay)


def decide(policy: RetryPolicy, error: IngestError, attempt: int, now: datetime, jitter: float) -> Decision:
    """Return what becomes of a job whose `attempt`-th try (from 1) ended in `error`.

    A provider that asked for a longer pause than the policy's gets it. `jitter` in [0, 1) spreads the delay.
    """
    if isinstance(error, ResourceError):
        return Wait(now + _spread(policy, _longer(policy, policy.resource_delay, error), jitter))
    retries = policy.retries if error.retries is None else error.retries
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
