"""What a watch needs: something that tells what arrives."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Notice:
    """Something has arrived, changed or gone."""

    content: str
    """What the source says of it: a path, or the message of a queue."""
    receipt: str = ""
    """With what the source knows the notice again, if its content does not say so."""


class EventSource(Protocol):
    """What is not acknowledged is told again: later, or when the source is opened the next time."""

    def receive(self) -> Sequence[Notice]:
        """Wait a moment for notices and return them, if there are any.

        Raises:
            OutageError: source_unreachable.
        """

    def acknowledge(self, notice: Notice) -> None:
        """End a notice, because everything it is about has been taken in; what came after it is told nevertheless.

        Raises:
            OutageError: source_unreachable.
        """

    def postpone(self, notice: Notice) -> None:
        """Have a notice told again after a while."""

    def close(self) -> None:
        """Let everything go that is held for notices."""
