"""Deployments that work on the same database."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class OtherInstance:
    """Another deployment, which is at work now."""

    name: str
    began_at: datetime
    shares_dagster: bool
    """Whether it also uses the same database for Dagster."""


def may_start(wanted: int, *, own: int, elsewhere: int, most: int) -> int:
    """Return how many of `wanted` more drain runs may start.

    Args:
        wanted: How many this deployment would like to start.
        own: How many it has.
        elsewhere: How many the other deployments have.
        most: How many all of them together may have.
    """
    return max(0, min(wanted, most - own - elsewhere))
