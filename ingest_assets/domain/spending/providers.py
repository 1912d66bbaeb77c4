"""An outside service that is paid for, as one value: all that the rest of the system knows of it."""

import re
from dataclasses import dataclass
from typing import NamedTuple, NewType

ProviderName = NewType("ProviderName", str)
"""As the ledger, logs and `ingest costs` spell it."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class Pace(NamedTuple):
    """How fast a provider works, as far as an estimate needs to know."""

    seconds_per_document: float
    units_per_second: float
    """In the first of the provider's units."""


@dataclass(frozen=True, slots=True)
class Provider:
    name: ProviderName
    """Short and lower-case, as the database demands."""
    title: str
    """As people spell it."""
    key_variable: str
    """The environment variable of its key; the same with _FILE names a file with the key."""
    key_pattern: str
    """A regular expression for its keys, which are taken out of whatever is logged."""
    units: tuple[str, ...]
    """What it bills, by the names of `Usage`."""
    pace: Pace
    models_by_bits: frozenset[str] = frozenset()
    """Its embedding models whose vectors' bits say enough to find the nearest by."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"{self.name!r} is not a short lower-case name")
