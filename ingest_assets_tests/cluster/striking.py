"""Strike a cluster at work, and see how long everything takes to be right again."""

import time
from dataclasses import dataclass

from ingest_assets_tests.cluster.faults import Fault, Struck
from ingest_assets_tests.cluster.ratio import KINDS
from ingest_assets_tests.cluster.site import Site
from ingest_assets_tests.faults.harness.checks import findings
from ingest_assets_tests.faults.harness.checks.payments import clock
from ingest_assets_tests.faults.harness.checks.recovery import await_recovery
from ingest_assets_tests.faults.harness.report import say

ALLOWED_SECONDS = 30
"""How long Dagster may take beyond the lease until it shows what is so."""
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Outcome:
    fault: str
    struck: Struck
    landed: float | None
    """Seconds after the fault until every document had ended."""
    truthful: float | None
    """Seconds until the runs had ended in Dagster: dead ones after the fault, others after the last document."""
    afterwards: float | None
    """Seconds that a few documents took which came when all was over."""
    hosts_afterwards: int
    """How many worker hosts did them."""
    untrue: tuple[str, ...]
    """What Dagster shows that is not so."""
    stuck: tuple[str, ...]

    def told(self) -> dict[str, float | None]:
        times = {"landed_s": self.landed, "truthful_s": self.truthful, "afterwards_s": self.afterwards}
        return times | {"hosts_afterwards": self.hosts_afterwards}


def strike(site: Site, fault: Fault, documents: int, *, with_sequel: bool) -> Outcome:
    """Submit documents, strike when they are in flight, and wait until all is well or has taken too long.

    Args:
        site: What is struck.
        fault: What strikes.
        documents: How many are in flight.
        with_sequel: Whether what is down comes back, and a few more documents must land then.
    """
    for kind in KINDS:
        site.clients.library.write_new(documents // len(KINDS), kind)
    site.clients.submit_pending()
    struck = fault.act(site)
    say(f"{clock(struck.begun)} {fault.name} ({struck.what})")
    recovery = await_recovery(site.clients, fault.name, struck.ended, calls=True)
    stuck = findings.stuck(site.clients)
    if recovery.settled is None and not stuck:
        stuck = [f"{findings.unfinished(site.clients)} documents have not ended after {fault.name}"]
    truthful, untrue = _await_truth(site, struck)
    afterwards, hosts = _sequel(site, fault, struck) if with_sequel else (None, 0)
    if with_sequel and afterwards is None:
        stuck.append(f"what came after {fault.name} has not ended")
    landed = _rounded(recovery.settled)
    outcome = Outcome(fault.name, struck, landed, truthful, afterwards, hosts, tuple(untrue), tuple(stuck))
    say("    " + ", ".join(f"{name} {value}" for name, value in outcome.told().items()))
    say(f"    runs since: {site.runs_since(struck.begun)}")
    for found in (*outcome.untrue, *outcome.stuck):
        say(f"    {found}")
    return outcome


def _await_truth(site: Site, struck: Struck) -> tuple[float | None, list[str]]:
    """Wait until no run is shown as not ended."""
    since = time.time()
    allowed = site.plan.lease_seconds + ALLOWED_SECONDS
    while (live := site.live_runs()) and time.time() - since < allowed:
        time.sleep(POLL_SECONDS)
    untrue = [f"{run.run_id} is {run.status} for {time.time() - since:.0f} s" for run in live]
    took = time.time() - since
    for run_id in struck.dead_runs - {run.run_id for run in live}:
        seconds = (site.ended_at(run_id) or time.time()) - struck.begun
        took = max(took, seconds)
        if seconds > allowed:
            untrue.append(f"{run_id} was shown as running for {seconds:.0f} s after its host had died")
    statuses = {run_id: site.status_of(run_id) for run_id in struck.canceled_runs}
    untrue += [f"{run} was canceled and is {status}" for run, status in statuses.items() if status != "CANCELED"]
    return (None if live else _rounded(took)), untrue


def _sequel(site: Site, fault: Fault, struck: Struck) -> tuple[float | None, int]:
    """Submit as few documents as get a run each; return how long they took, and how many hosts did them."""
    if struck.down is not None:
        struck.down.host.plug()
        struck.down.start()
        struck.down.wait()
    since = time.time()
    site.clients.library.write_new(len(site.workers), "md")
    site.clients.submit_pending()
    settled = await_recovery(site.clients, f"after {fault.name}", since, calls=True).settled
    return _rounded(settled), len(site.workers_since(since))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)
