"""A whole run: documents go in, faults strike, and at the end everything that must hold is looked at."""

import os
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from ingest_assets_tests.faults.harness.checks.payments import Disturbance, clock
from ingest_assets_tests.faults.harness.checks.reader import Reader
from ingest_assets_tests.faults.harness.checks.recovery import await_recovery
from ingest_assets_tests.faults.harness.closing import close, judge
from ingest_assets_tests.faults.harness.deployment import tree
from ingest_assets_tests.faults.harness.deployment.patient import Patient, admitted
from ingest_assets_tests.faults.harness.documents.poison import POISONS
from ingest_assets_tests.faults.harness.kinds.fault import Fault, NoTargetError, Struck, Work
from ingest_assets_tests.faults.harness.report import Result, counted, say
from ingest_assets_tests.faults.harness.schedule import Round
from ingest_assets_tests.waiting import until

HEAL_SECONDS = 120
ALLOWED_SECONDS = 30
"""How long a recovery may take beyond the lease."""
WANTED = {Work.NONE: 0, Work.FEW: 2, Work.FILES: 2, Work.PAGES: 3, Work.BACKLOG: 5}
KINDS = {Work.FILES: "eml", Work.PAGES: "pdf"}
"""How many documents the work takes: a few get runs of their own, more get a drain run."""


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    rounds: Sequence[Round]
    documents: int
    poison_share: float = 0.05
    lease_seconds: int = 5


@dataclass
class Run:
    plan: Plan
    patient: Patient
    result: Result
    disturbances: list[Disturbance] = field(default_factory=list)

    def strike_all(self) -> None:
        faults = [(number, fault) for number, group in enumerate(self.plan.rounds) for fault in group]
        struck: list[Struck] = []
        for place, (number, fault) in enumerate(faults):
            chance = Random(f"fault {self.plan.seed} {place}")  # noqa: S311
            self._write_poisons(place, len(faults))
            self._write(fault.work, len(faults) - place, chance)
            self.patient.submit_pending()
            struck += self._strike(place, fault, chance)
            if place + 1 == len(faults) or faults[place + 1][0] != number:
                self._recover(self.plan.rounds[number], struck, chance)
                struck = []

    @property
    def poisons(self) -> int:
        return round(self.plan.poison_share * self.plan.documents)

    def _write_poisons(self, place: int, faults: int) -> None:
        for number in range(place * self.poisons // faults, (place + 1) * self.poisons // faults):
            self.patient.library.write_poison(POISONS[number % len(POISONS)])

    def _write(self, work: Work, faults_left: int, chance: Random) -> None:
        """Write what the fault needs: new documents as long as there may be more, and new versions of others."""
        library = self.patient.library
        left = self.plan.documents - self.poisons - sum(paper.poison is None for paper in library.papers)
        share, wanted = max(0, -(-left // faults_left)), WANTED[work]
        new = share if work is Work.BACKLOG else min(share, wanted)
        kind = KINDS.get(work)
        candidates = [paper for paper in library.good() if paper.document_id and kind in (None, paper.kind)]
        replaced = chance.sample(candidates, min(max(0, wanted - new), len(candidates)))
        for paper in replaced:
            library.write_version(paper)
        library.write_new(max(new, wanted - len(replaced)), kind)

    def _strike(self, place: int, fault: Fault, chance: Random) -> list[Struck]:
        begun = time.time()
        try:
            struck = fault.act(self.patient, chance)
        except NoTargetError:
            self.disturbances.append(Disturbance(fault.name, begun, time.time()))
            self.result.missed.append(fault.name)
            say(f"#{place + 1} {fault.name}: nothing to strike")
            return []
        self.disturbances.append(Disturbance(fault.name, struck.begun, struck.ended))
        self.result.kills += fault.kills
        say(f"#{place + 1} {clock(struck.begun)} {fault.name} ({struck.what})")
        return [struck]

    def _recover(self, group: Round, struck: Sequence[Struck], chance: Random) -> None:
        if not struck:
            return
        calls = all(fault.calls for fault in group)
        if calls:
            self._submit_after(chance)
        name = group[0].name if len(group) == 1 else "a storm of several"
        recovery = await_recovery(self.patient, name, struck[-1].ended, calls=calls)
        self.result.recoveries.append(recovery)
        moved = "nothing moved" if recovery.moved is None else f"a document landed after {recovery.moved:.1f} s"
        settled = "not all in time" if recovery.settled is None else f"all after {recovery.settled:.1f} s"
        say(f"    {moved}, {settled}")
        if recovery.settled is None:
            self._heal(name)

    def _heal(self, fault: str) -> None:
        """Start everything anew, as a person would, so that the next fault meets a deployment that works."""
        begun = time.time()
        self.result.notes.append(f"does not recover by itself: {fault}")
        self.patient.up.ui = None
        for pid in tree.of_deployment():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        until(lambda: self.patient.up.ui, HEAL_SECONDS)
        recovery = await_recovery(self.patient, "started anew", time.time(), calls=True)
        self.disturbances.append(Disturbance("started anew", begun, time.time()))
        say(f"    started anew: {'not all in time' if recovery.settled is None else 'all landed'}")

    def _submit_after(self, chance: Random) -> None:
        """Submit a new version of a document after the fault, so that something must move."""
        candidates = [paper for paper in self.patient.library.good() if paper.document_id and not paper.is_pending]
        for paper in chance.sample(candidates, min(1, len(candidates))):
            self.patient.library.write_version(paper)
        self.patient.submit_pending()


def run(plan: Plan, folder: Path) -> Result:
    result = Result(plan.seed)
    say(f"seed: {plan.seed}, lease {plan.lease_seconds} s, {plan.documents} documents")
    say(f"{sum(map(len, plan.rounds))} faults in {len(plan.rounds)} rounds")
    chance = Random(f"library {plan.seed}")  # noqa: S311
    with admitted(folder, chance, plan.lease_seconds) as patient:
        with Reader(patient, plan.seed) as reader:
            running = Run(plan, patient, result)
            running.strike_all()
            say("The faults have stopped.")
            judge(patient, result, running.disturbances)
        result.partial += reader.partial.values()
        result.facts["reads"] = f"{reader.reads}, and {reader.failures} without an answer"
        close(patient, result)
    allowed = plan.lease_seconds + ALLOWED_SECONDS
    slow = [each.fault for each in result.recoveries if each.settled is None or each.settled > allowed]
    result.facts[f"recoveries beyond {allowed:.0f} s"] = ", ".join(counted(slow)) or "none"
    return result
