"""Tell somebody about failures: once per cause and hour, whoever looks and however often."""

from dataclasses import dataclass
from datetime import timedelta

from ingest_assets.domain.queue.alerts import alerts_for
from ingest_assets.pipeline.ports.alerting import AlertReceiver, AlertRecords
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
    records: AlertRecords
    receiver: AlertReceiver | None
    """None if nobody wants alerts."""
    clock: Clock

    def send_due(self) -> int:
        """Send the alerts that are due and return how many. The first that fails is sent again by the next call.

        Raises:
            TransientError: alert_refused.
        """
        if self.receiver is None:
            return 0
        sent = 0
        for alert in alerts_for(self.documents.failed_causes(), self.clock.now()):
            if sent < SENT_AT_ONCE and self.records.claim(alert.code, PAUSE, HOLD):
                delivered = False
                try:
                    self.receiver.send(alert)
                    delivered = True
                finally:
                    self.records.settle(alert.code, sent=delivered)
                sent += 1
        return sent
