"""Tell somebody what a day or a week has brought: once, whoever's schedule asks for it first."""

from dataclasses import dataclass
from datetime import timedelta

from ingest_assets.domain.alerting.readings import Reading
from ingest_assets.domain.alerting.summaries import Limits, Period, Summary, Usage
from ingest_assets.pipeline.alerting import HOLD
from ingest_assets.pipeline.measuring import Measuring
from ingest_assets.pipeline.ports.alerting import AlertReceiver, AlertRecords, Readings
from ingest_assets.pipeline.ports.operating import Flows
from ingest_assets.pipeline.ports.reading import Documents

GRACE = timedelta(hours=4)
"""By how much a schedule may be late without the next one being taken for a repetition."""


@dataclass(frozen=True)
class Summarising:
    documents: Documents
    """Everybody's documents."""
    flows: Flows
    measuring: Measuring
    readings: Readings
    records: AlertRecords
    receiver: AlertReceiver | None
    """None if nobody wants summaries."""
    limits: Limits

    def send(self, period: Period) -> bool:
        """Send a summary, unless one of this period was sent, and return whether it was sent.

        Raises:
            TransientError: alert_refused.
        """
        key = f"summary of a {period.noun}"
        if self.receiver is None or not self.records.claim(key, period.length - GRACE, HOLD):
            return False
        sent = False
        try:
            self.receiver.send(self.summary(period).notice)
            sent = True
        finally:
            self.records.settle(key, sent=sent)
        return sent

    def summary(self, period: Period) -> Summary:
        """Return what the period until now has brought. Where nothing is known from before, it begins later."""
        now = Reading.of(self.measuring.collect())
        found = self.readings.first_within([period.length, 2 * period.length])
        begin, before = found.get(period.length, now), found.get(2 * period.length)
        is_known = before is not None and before != begin
        return Summary(
            period=period,
            usage=Usage.between(begin, now),
            before=Usage.between(before, begin) if before is not None and is_known else None,
            flow=self.flows.flow(),
            causes=self.documents.failed_causes(),
            peaks=self.readings.peaks(period.length),
            limits=self.limits,
        )
