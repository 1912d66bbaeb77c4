"""Which faults strike, in which order: from a seed."""

from collections.abc import Iterator, Sequence
from itertools import cycle, islice
from random import Random

from ingest_assets_tests.faults.harness.kinds.fault import Fault
from ingest_assets_tests.faults.harness.kinds.table import possible

OTHERS_PER_KILL = 0.5
"""How many faults that end no process come with each that does."""
STORM_SHARE = 0.4
"""The share of the faults that come in storms: one upon the other, without a pause to recover."""
STORM_SIZES = (3, 6)

Round = tuple[Fault, ...]
"""Faults that strike one after the other before the deployment may recover: one, or a storm."""


def schedule(seed: int, kills: int) -> list[Round]:
    """Return that many kills with other faults in between; each kind strikes before any strikes again."""
    chance = Random(f"schedule {seed}")  # noqa: S311
    ending = [fault for fault in possible() if fault.kills]
    others = [fault for fault in possible() if not fault.kills]
    planned = [*_turns(ending, kills, chance), *_turns(others, round(kills * OTHERS_PER_KILL), chance)]
    chance.shuffle(planned)
    return list(_rounds(planned, chance))


def _turns(faults: Sequence[Fault], count: int, chance: Random) -> Iterator[Fault]:
    return islice(cycle(chance.sample(faults, len(faults))), count)


def _rounds(planned: Sequence[Fault], chance: Random) -> Iterator[Round]:
    alone = round(len(planned) * (1 - STORM_SHARE))
    yield from ((fault,) for fault in planned[:alone])
    rest = planned[alone:]
    while rest:
        size = chance.randint(*STORM_SIZES)
        yield tuple(rest[:size])
        rest = rest[size:]
