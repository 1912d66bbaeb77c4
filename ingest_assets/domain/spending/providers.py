"""Everything that the rest of the system knows of a provider, as one value."""

import re
from dataclasses import dataclass
from typing import NamedTuple, NewType

ProviderName = NewType("ProviderName", str)
"""A provider's name, as the ledger, the logs and `ingest costs` spell it."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class Pace(NamedTuple):
    """How fast a provider works, as far as an estimate needs to know."""

    seconds_per_document: float
    units_per_second: float
    """The rate in the first of the provider's units."""


@dataclass(frozen=True, slots=True)
class Provider:
    name: ProviderName
    """A short lower-case name, as the database requires."""
    title: str
    """The name as people spell it."""
    key_variable: str
    """The environment variable of its key; the same name with _FILE names a file that holds the key."""
    key_pattern: str
    """A regular expression for its keys, which are removed from the logs."""
    units: tuple[str, ...]
    """The units that it bills, by their names in `Usage`."""
    pace: Pace
    models_by_bits: frozenset[str] = frozenset()
    """Its embedding models whose vectors' bits say enough to find the nearest vectors."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not a short lower-case name")
