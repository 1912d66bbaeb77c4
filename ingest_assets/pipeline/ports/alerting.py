"""What alerts need: what held before, who sends which one, and where it goes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ingest_assets.domain.alerting.notices import Notice
from ingest_assets.domain.alerting.readings import Reading
from ingest_assets.domain.alerting.summaries import Peaks


@dataclass(frozen=True, slots=True)
class Held:
    """A condition that holds, or that people were told of."""

    key: str
    holds_since: datetime | None
    """None if it has ended, and its end is yet to be told."""
    held: timedelta | None
    is_told: bool


class AlertRecords(Protocol):
    """What holds, and when an alert of each condition was last sent, for all workers and across restarts."""

    def held(self) -> list[Held]:
        """Return all conditions that hold, or that people were told of."""

    def note(self, begun: Collection[str], ended: Collection[str]) -> None:
        """Note which conditions have begun to hold, and which have ended."""

    def claim(self, key: str, pause: timedelta, hold: timedelta) -> bool:
        """Return whether the caller is to send an alert of this condition now.

        Args:
            key: The condition.
            pause: How long no other alert of it is sent after one.
            hold: How long the caller may take. If it never comes back, another one sends it after that.
        """

    def settle(self, key: str, *, sent: bool) -> None:
        """Record that the alert was sent, or leave it to the next caller."""

    def claim_clearing(self, key: str, hold: timedelta) -> bool:
        """Return whether the caller is to tell now that the condition has ended."""

    def settle_clearing(self, key: str, *, sent: bool) -> None:
        """Record that its end was told, or leave it to the next caller."""


class Readings(Protocol):
    """What the metrics said earlier, for all workers together."""

    def keep(self, reading: Reading) -> None:
        """Keep a reading, unless there is one of this minute."""

    def first_within(self, ages: Collection[timedelta]) -> Mapping[timedelta, Reading]:
        """Return the first reading that is at most so old, for each age that has one before this minute."""

    def peaks(self, age: timedelta) -> Peaks:
        """Return the most that any reading of this age or younger held."""


class AlertReceiver(Protocol):
    def send(self, notice: Notice) -> None:
        """Deliver a notice, in seconds or not at all.

        Raises:
            TransientError: alert_refused.
        """
