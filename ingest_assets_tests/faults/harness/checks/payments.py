"""Whether anything was paid for twice beyond what was in flight when a fault came."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, pairwise

from ingest_assets_tests.faults.harness.deployment.services import Charge
from ingest_assets_tests.faults.harness.documents.marks import marks_in

SETTLE_SECONDS = 2.0
"""How long a worker may take to store what it was sent; until then the request is in flight."""


@dataclass(frozen=True, slots=True)
class Payments:
    once: int
    """How many texts and files were paid for."""
    repeated: int
    """How many payments were repeated because a fault met the request in flight."""
    twice: list[str]
    """What was repeated for no such reason."""


@dataclass(frozen=True, slots=True)
class Disturbance:
    fault: str
    begun: float
    ended: float

    def meets(self, charge: Charge) -> bool:
        return self.begun <= charge.ended + SETTLE_SECONDS and self.ended >= charge.begun


def payments(charges: Iterable[Charge], disturbances: Sequence[Disturbance]) -> Payments:
    """Judge every charge but the last of each text.

    Args:
        charges: What the services charged.
        disturbances: Which fault struck from when until when, in order.
    """
    ordered = sorted(charges, key=lambda charge: (charge.key, charge.begun))
    once = excused = 0
    twice: list[str] = []
    for _, group in groupby(ordered, key=lambda charge: charge.key):
        once += 1
        for charge, again in pairwise(group):
            if any(disturbance.meets(charge) for disturbance in disturbances):
                excused += 1
            else:
                twice.append(_told(charge, again, disturbances))
    return Payments(once, excused, twice)


def _told(charge: Charge, again: Charge, disturbances: Sequence[Disturbance]) -> str:
    last = max((each for each in disturbances if each.begun < again.begun), key=lambda each: each.begun, default=None)
    marks = ", ".join(map(str, marks_in([charge.key]))) or charge.key[:12]
    told = f"{marks} at {clock(charge.begun)} and {clock(again.begun)}"
    return told if last is None else f"{told}, after {last.fault} at {clock(last.begun)}"


def clock(moment: float) -> str:
    """Return a time of day, for comparing with logs."""
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S.%f")[:-4]
