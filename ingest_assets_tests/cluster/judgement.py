"""What must hold at the end of a cluster's trial."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import LiteralString

from ingest_assets_tests.cluster.faults import Struck
from ingest_assets_tests.cluster.ratio import Measured, ratio
from ingest_assets_tests.cluster.site import Site
from ingest_assets_tests.cluster.striking import Outcome
from ingest_assets_tests.faults.harness.checks import findings
from ingest_assets_tests.faults.harness.checks.payments import Disturbance, payments
from ingest_assets_tests.faults.harness.checks.reader import Reader
from ingest_assets_tests.faults.harness.deployment.services import Charge
from ingest_assets_tests.faults.harness.report import counted, say

GAP_SECONDS = 5.0
"""How long searches may fail while the database is there."""
PLAINTEXT = "not encrypted"
"""What `doctor` says of the trial's own network, on which nobody listens."""


SENT: LiteralString = """
SELECT request_id, extract(epoch FROM started_at)::float AS at FROM upload_pipeline.paid_calls WHERE request_id <> ''"""


@dataclass
class Judgement:
    hosts: int
    broker: str
    measured: Sequence[Measured]
    outcomes: Sequence[Outcome]
    documents: int
    lost: list[str] = field(default_factory=list)
    partial: list[str] = field(default_factory=list)
    paid_twice: list[str] = field(default_factory=list)
    search_gap: float = 0.0
    """The longest time without an answered search, of which none belongs to the database's absence."""
    reads: str = ""
    paid: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def stuck(self) -> list[str]:
        return [found for outcome in self.outcomes for found in outcome.stuck]

    @property
    def untrue(self) -> list[str]:
        return [found for outcome in self.outcomes for found in outcome.untrue]

    @property
    def is_clean(self) -> bool:
        found = [self.lost, self.partial, self.paid_twice, self.stuck, self.untrue]
        return not any(found) and self.search_gap <= GAP_SECONDS

    def line(self) -> str:
        measured = ratio(self.measured)
        counts = {
            "hosts": self.hosts,
            "ratio": None if measured is None else round(measured, 2),
            "lost": len(self.lost),
            "paid_twice": len(self.paid_twice),
            "stuck": len(self.stuck),
            "partial": len(self.partial),
            "untrue_runs": len(self.untrue),
            "search_gap_s": round(self.search_gap, 1),
            "broker": self.broker,
            "documents": self.documents,
            "measured": [each.told() for each in self.measured],
            "faults": {outcome.fault: outcome.told() for outcome in self.outcomes},
        }
        return json.dumps(counts)

    def tell(self) -> None:
        say("")
        say(f"{'fault':32} {'landed s':>9} {'truthful s':>11} {'afterwards s':>13} {'by hosts':>9}")
        for each in self.outcomes:
            landed, truthful, afterwards = map(_seconds, (each.landed, each.truthful, each.afterwards))
            say(f"{each.fault:32} {landed:>9} {truthful:>11} {afterwards:>13} {each.hosts_afterwards:>9}")
        for title in ("lost", "partial", "paid_twice", "stuck", "untrue", "notes"):
            for finding in getattr(self, title):
                say(f"{title}: {finding}")
        say(f"searches: {self.reads}; the longest time without an answer was {self.search_gap:.1f} s")
        say(f"paid: {self.paid}")
        say(self.line())


def judge(site: Site, reader: Reader, measured: Sequence[Measured], outcomes: Sequence[Outcome]) -> Judgement:
    """Look at everything while the deployment runs."""
    clients = site.clients
    disturbances = [Disturbance(each.fault, each.struck.begun, each.struck.ended) for each in outcomes]
    paid = payments(_since_they_were_sent(site), disturbances)
    return Judgement(
        len(site.workers),
        site.plan.broker,
        measured,
        outcomes,
        len(clients.library.papers),
        findings.lost(clients),
        list(reader.partial.values()),
        paid.twice,
        longest_gap(reader.answered_at, [outcome.struck for outcome in outcomes]),
        f"{reader.reads}, and {reader.failures} without an answer",
        f"{paid.once} texts and files once, {paid.repeated} again after a fault in flight",
        counted([*clients.complaints, *(each for each in findings.breaches(clients) if PLAINTEXT not in each)]),
    )


def _since_they_were_sent(site: Site) -> list[Charge]:
    """Return what providers charged. A call that was on its way while its host had no network arrives long after."""
    sent = {row["request_id"]: row["at"] for row in site.clients.database.rows(SENT)}
    charges = site.clients.services.charges
    return [replace(each, begun=min(each.begun, sent.get(each.reference, each.begun))) for each in charges]


def longest_gap(answered_at: Sequence[float], struck: Sequence[Struck]) -> float:
    """Return the longest time between two answers; one in which the database was away begins with its return."""
    gaps = [0.0]
    for before, after in pairwise(sorted(answered_at)):
        returns = [
            each.ended for each in struck if each.without_database and before < each.ended and each.begun < after
        ]
        gaps.append(max(0.0, after - max([before, *returns])))
    return max(gaps)


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.1f}"
