"""What is said to people on call, whatever it is about and wherever they read it."""

from collections.abc import Mapping
from dataclasses import dataclass

from ingest_assets.domain.alerting.conditions import Severity

Data = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Notice:
    """A message: no names of documents, no text of theirs, and no ids."""

    headline: str
    severity: Severity | None
    """None if nothing is wrong (any more)."""
    paragraphs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    """Names and values, in the order in which people read them."""
    commands: tuple[str, ...]
    data: Data
    """The same for programs, as JSON has it."""
