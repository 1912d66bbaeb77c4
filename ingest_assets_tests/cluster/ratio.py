"""How many documents a second one worker host does, and two do, while they wait for providers that take their time."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import LiteralString

from ingest_assets.orchestration.queue import JOBS_PER_WORKER
from ingest_assets_tests.cluster.site import Site
from ingest_assets_tests.faults.harness.checks import findings
from ingest_assets_tests.faults.harness.report import say
from ingest_assets_tests.waiting import until

KINDS = ("md", "pdf")
"""By extension: what only embedding is paid for, and what the paid parser reads too."""
LONGEST_SECONDS = 600
FEWEST = JOBS_PER_WORKER + 2
"""A queue of fewer documents gets a single drain run, and the second host nothing to do."""
BEGUN: LiteralString = """
SELECT extract(epoch FROM min(occurred_at) FILTER (WHERE state = 'working'))::float AS begun,
    extract(epoch FROM max(occurred_at) FILTER (WHERE state = 'done'))::float AS ended
FROM upload_pipeline.events WHERE occurred_at > to_timestamp(%(since)s)"""
SHARES: LiteralString = """
SELECT actor, count(*) AS documents FROM upload_pipeline.events
WHERE state = 'done' AND occurred_at > to_timestamp(%(since)s) GROUP BY actor ORDER BY documents DESC"""


@dataclass(frozen=True, slots=True)
class Measured:
    hosts: int
    documents: int
    seconds: float
    """From the first document's begin to the last one's end."""
    shares: tuple[int, ...]
    """How many documents each drain run finished."""
    load: float
    """This machine's load when it ended."""

    @property
    def rate(self) -> float:
        return self.documents / self.seconds

    def told(self) -> dict[str, float | int | list[int]]:
        return {
            "hosts": self.hosts,
            "documents": self.documents,
            "seconds": round(self.seconds, 1),
            "documents_per_s": round(self.rate, 2),
            "shares": list(self.shares),
            "load": round(self.load, 1),
        }


def ratio(measured: Sequence[Measured]) -> float | None:
    """Return how many times faster two hosts were than one, by the medians of the rounds."""
    one, two = ([each.rate for each in measured if each.hosts == hosts] for hosts in (1, 2))
    return median(two) / median(one) if one and two else None


def measure(site: Site, documents: int, rounds: int) -> list[Measured]:
    """Let one host work, then two, and in the next round the other way round; at the end both run."""
    first, second = site.workers
    first.start()
    first.wait()
    measured: list[Measured] = []
    for number in range(rounds):
        for hosts in (1, 2) if number % 2 == 0 else (2, 1):
            runs = second.process is not None and second.process.poll() is None
            if hosts == 2 and not runs:
                second.start()
                second.wait()
            elif hosts == 1 and runs:
                second.stop()
            measured.append(_measured(site, hosts, documents))
            say("    " + ", ".join(f"{name} {value}" for name, value in measured[-1].told().items()))
    if second.process is None or second.process.poll() is not None:
        second.start()
        second.wait()
    return measured


def _measured(site: Site, hosts: int, documents: int) -> Measured:
    """Queue all documents while nothing may begin, then let them go."""
    clients = site.clients
    for kind in KINDS:
        clients.library.write_new(documents // len(KINDS), kind)
    until(lambda: not site.live_runs(), LONGEST_SECONDS)
    _must(site, "pause")
    assert clients.submit_pending(LONGEST_SECONDS), clients.complaints
    since = time.time()
    _must(site, "resume")
    until(lambda: findings.unfinished(clients) == 0, LONGEST_SECONDS)
    [times] = clients.database.rows(BEGUN, since=since)
    shares = tuple(row["documents"] for row in clients.database.rows(SHARES, since=since))
    count = documents // len(KINDS) * len(KINDS)
    return Measured(hosts, count, times["ended"] - times["begun"], shares, os.getloadavg()[0])


def _must(site: Site, verb: str) -> None:
    ran = site.clients.command(verb)
    assert ran is not None, f"`ingest {verb}` hangs"
    assert ran.code == 0, ran.stderr
