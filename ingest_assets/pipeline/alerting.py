"""Tell somebody about what is wrong: once per condition and hour, whoever looks and however often; and when it ends."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from ingest_assets.domain.alerting.alerts import Alert, alert_of, alerts_for, cleared
from ingest_assets.domain.alerting.conditions import BY_NAME
from ingest_assets.domain.alerting.judgement import WINDOWS, is_of, judge
from ingest_assets.domain.alerting.readings import Reading
from ingest_assets.pipeline.measuring import Measuring
from ingest_assets.pipeline.ports.alerting import AlertReceiver, AlertRecords, Held, Readings
from ingest_assets.pipeline.ports.clock import Clock
from ingest_assets.pipeline.ports.reading import Documents

PAUSE = timedelta(hours=1)
HOLD = timedelta(minutes=1)
SENT_AT_ONCE = 4
"""How many alerts one call sends. Together they take less than HOLD, even if each takes as long as it may."""


@dataclass(frozen=True)
class Alerting:
    documents: Documents
    """Everybody's documents."""
    measuring: Measuring
    readings: Readings
    records: AlertRecords
    receiver: AlertReceiver | None
    """None if nobody wants alerts."""
    clock: Clock
    host: str
    """The name of this deployment: it tells of its own disks only."""

    def send_due(self) -> int:
        """Send the alerts that are due and return how many. The first that fails is sent again by the next call.

        Raises:
            TransientError: alert_refused.
        """
        if self.receiver is None:
            return 0
        holding, unknown = self._holding()
        held = {each.key: each for each in self.records.held() if each.key.partition(":")[0] in BY_NAME}
        ended = [each for each in held.values() if each.key not in holding and self._may_end(each, unknown)]
        begun = [key for key in holding if key not in held or held[key].holds_since is None]
        self.records.note(begun, [each.key for each in ended])
        due = (_since(alert, held.get(key)) for key, alert in holding.items() if _has_lasted(alert, held.get(key)))
        return self._send(self.receiver, due, ended)

    def _holding(self) -> tuple[dict[str, Alert], frozenset[str]]:
        """Return an alert for everything that is wrong now, and of which conditions nothing is known."""
        failures = alerts_for(self.documents.failed_causes(), self.clock.now())
        samples = self.measuring.collect()
        earlier = self.readings.first_within(WINDOWS)
        self.readings.keep(Reading.of(samples))
        judged = judge(samples, earlier, self.host)
        alerts = [*failures, *(alert_of(finding) for finding in judged.findings)]
        return {alert.key: alert for alert in alerts}, judged.unknown

    def _may_end(self, held: Held, unknown: frozenset[str]) -> bool:
        """Return whether a condition that was not found has ended. What another host has is not found here."""
        name, _, subject = held.key.partition(":")
        is_ours = not BY_NAME[name].of_host or is_of(self.host, subject)
        return is_ours and name not in unknown

    def _send(self, receiver: AlertReceiver, due: Iterator[Alert], ended: list[Held]) -> int:
        sent = 0
        for alert in due:
            if sent < SENT_AT_ONCE and self.records.claim(alert.key, PAUSE, HOLD):
                _deliver(receiver, alert, self.records.settle)
                sent += 1
        for held in ended:
            told = cleared(held.key, held.holds_since)
            if told and sent < SENT_AT_ONCE and held.is_told and self.records.claim_clearing(held.key, HOLD):
                _deliver(receiver, told, self.records.settle_clearing)
                sent += 1
        return sent


def _has_lasted(alert: Alert, held: Held | None) -> bool:
    lasted = timedelta(0) if held is None or held.held is None else held.held
    return lasted >= alert.condition.lasts


def _since(alert: Alert, held: Held | None) -> Alert:
    """Return the alert with when its condition began; documents that failed know that better."""
    return alert if held is None or alert.first_at is not None else replace(alert, first_at=held.holds_since)


def _deliver(receiver: AlertReceiver, alert: Alert, settle: Callable[..., None]) -> None:
    delivered = False
    try:
        receiver.send(alert.notice)
        delivered = True
    finally:
        settle(alert.key, sent=delivered)
