"""What alerts need: who sends which one, and where it goes."""

from datetime import timedelta
from typing import Protocol

from ingest_assets.domain.queue.alerts import Alert


class AlertRecords(Protocol):
    """When an alert of each cause was last sent, for all workers and across restarts."""

    def claim(self, code: str, pause: timedelta, hold: timedelta) -> bool:
        """Return whether the caller is to send an alert of this cause now.

        Args:
            code: The cause.
            pause: How long no other alert of it is sent after one.
            hold: How long the caller may take. If it never comes back, another one sends it after that.
        """

    def settle(self, code: str, *, sent: bool) -> None:
        """Record that the alert was sent, or leave it to the next caller."""


class AlertReceiver(Protocol):
    def send(self, alert: Alert) -> None:
        """Deliver an alert, in seconds or not at all.

        Raises:
            TransientError: alert_refused.
        """
