"""What the documents of the bench hold, made up from a seed: sentences, clauses, a table, a form and numbers."""

import random
from dataclasses import dataclass

PLACES = ("Hollin Bank", "Kestrel Court", "Fenwick Quay", "Marrow Gate", "Elm Stead", "Tansy Row", "Otter Wharf")
THINGS = ("barn", "boiler", "conservatory", "gable", "slate roof", "greenhouse", "cellar", "water tank", "chimney")
PERILS = ("fire", "flood", "frost", "theft", "subsidence", "lightning", "impact", "escape of water")
PEOPLE = ("Ada Broker", "Bob Claimant", "Cleo Adjuster", "Dan Surveyor", "Eve Underwriter")
SEEDS = range(5)
"""One set of documents for each."""


@dataclass(frozen=True, slots=True)
class Known:
    """The content of one set of documents."""

    paragraphs: tuple[str, ...]
    clauses: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """A table with its header."""
    fields: tuple[tuple[str, str], ...]
    """Labels of a form with what is filled in."""
    policy: str
    """The number of a policy, which stands in heads of pages."""
    note: str
    """A remark in a footnote, a comment or speaker notes."""


def known(seed: int) -> Known:
    chance = random.Random(seed)
    pick = chance.choice

    def paragraph(number: int) -> str:
        share, excess = chance.randrange(50, 100, 5), chance.randrange(100, 900, 25)
        return (
            f"Loss {seed}{number} by {pick(PERILS)} to the {pick(THINGS)} at {pick(PLACES)} is settled at {share}"
            f" percent after an excess of {excess} euro. {pick(PEOPLE)} inspected the {pick(THINGS)} within"
            f" {number + 3} days and found that the {pick(THINGS)} could be repaired for less than the sum insured."
        )

    header = ("Item", "Replacement value", "Year", "Claim")
    items = tuple(
        (
            f"{pick(THINGS)} {seed}{row}",
            f"{chance.randrange(200, 90_000)}.{chance.randrange(10)}0",
            str(1990 + row),
            f"CL-{seed}{row:02}",
        )
        for row in range(12)
    )
    fields = (
        ("Insured", pick(PEOPLE)),
        ("Place of loss", pick(PLACES)),
        ("Cause", pick(PERILS)),
        ("Sum claimed", f"{chance.randrange(1_000, 9_000)} euro"),
    )
    clauses = tuple(f"Damage by {peril} to the {pick(THINGS)} is excluded" for peril in chance.sample(PERILS, 4))
    policy = f"HH-{chance.randrange(1000, 9999)}-{chance.randrange(1000, 9999)}"
    return Known(
        tuple(paragraph(number) for number in range(8)),
        clauses,
        (header, *items),
        fields,
        policy,
        f"{pick(PEOPLE)} asked for an agreed value of the {pick(THINGS)}",
    )
