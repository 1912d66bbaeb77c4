"""Look out for what is worth an alert, beside other work, in a process that runs all the time.

Such a process can tell that Dagster is silent, and that the database is away, of which nothing can be recorded there:
each one tells that by itself.
"""

from dataclasses import replace
from datetime import timedelta

from ingest_assets.domain.alerting.alerts import Alert
from ingest_assets.domain.alerting.conditions import DATABASE_UNREACHABLE
from ingest_assets.domain.errors import OutageError
from ingest_assets.pipeline.alerting import PAUSE, Alerting


class Lookout:
    def __init__(self, alerting: Alerting) -> None:
        self._alerting = alerting
        self._away_since: float | None = None
        self._told_at: float | None = None
        self._is_told = False

    def look(self) -> int:
        """Send what is due and return how many; what cannot be sent now is sent by another look.

        Raises:
            TransientError: alert_refused.
        """
        try:
            sent = self._alerting.send_due()
        except OutageError:
            return self._is_away()
        return sent + self._is_back()

    def _is_away(self) -> int:
        now = self._alerting.clock.seconds()
        self._away_since = now if self._away_since is None else self._away_since
        lasted = timedelta(seconds=now - self._away_since)
        was_told = self._told_at is not None and now - self._told_at < PAUSE.total_seconds()
        if lasted < DATABASE_UNREACHABLE.lasts or was_told:
            return 0
        self._send(self._alert)
        self._told_at, self._is_told = now, True
        return 1

    def _is_back(self) -> int:
        self._away_since = None
        if not self._is_told:
            return 0
        self._send(replace(self._alert, message="It has ended.", cleared=True))
        self._is_told = False
        return 1

    @property
    def _alert(self) -> Alert:
        condition = DATABASE_UNREACHABLE
        return Alert(condition, self._alerting.host, condition.description, "", condition.command, None)

    def _send(self, alert: Alert) -> None:
        if self._alerting.receiver is not None:
            self._alerting.receiver.send(alert.notice)
