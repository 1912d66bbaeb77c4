"""Facts as counts, for as long as the process lives."""

from collections import Counter
from collections.abc import Iterator
from threading import Lock

from ingest_assets.domain.facts import ErrorPassedOver, Fact
from ingest_assets.domain.metrics import FACTS_TOTAL, PASSED_OVER_TOTAL, Metric, Sample
from ingest_assets.pipeline.ports.observing import Observer

NAMES = {
    "DocumentFinished": "document_finished",
    "DocumentFailed": "document_failed",
    "ClaimLost": "claim_lost",
    "ClaimingPaused": "claiming_paused",
    "ProviderAnswered": "provider_answered",
    "BillSurprised": "bill_surprised",
    "IndexChanged": "index_changed",
    "ErrorPassedOver": "error_passed_over",
}
"""What metrics call each kind of fact."""


class CountingObserver:
    """Counts facts, and tells another observer."""

    def __init__(self, other: Observer) -> None:
        self._other = other
        self._lock = Lock()
        self._counts: Counter[tuple[Metric, str]] = Counter({(FACTS_TOTAL, name): 0 for name in NAMES.values()})

    def observe(self, fact: Fact) -> None:
        with self._lock:
            self._counts[FACTS_TOTAL, NAMES[type(fact).__name__]] += 1
            if isinstance(fact, ErrorPassedOver):
                self._counts[PASSED_OVER_TOTAL, fact.error.code] += 1
        self._other.observe(fact)

    def take(self) -> Iterator[Sample]:
        with self._lock:
            counts = dict(self._counts)
        for (metric, label), count in counts.items():
            yield Sample(metric, (label,), count)
