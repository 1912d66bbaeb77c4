"""Where a trace goes: what was done, for how long, and on which occasion."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

Attribute = str | int | float
Attributes = Mapping[str, Attribute]
"""Ids, counts, codes and names from this code; nothing from a document or about its user."""
Note = Callable[[Attributes], None]
"""Adds attributes to a span that is open."""


class Tracer(Protocol):
    def span(
        self, name: str, attributes: Attributes, correlation_id: str | None = None, parent: str | None = None
    ) -> AbstractContextManager[Note]:
        """Return a span, which is open during the block; an exception that leaves the block is its error.

        Args:
            name: What is done.
            attributes: What is known of it.
            correlation_id: On which occasion. All spans of one occasion are one trace, in whatever process they are.
            parent: The `traceparent` of whoever asked for it, if it is of the same trace.
        """

    def flush(self) -> None:
        """Send what has not been sent, in seconds at most."""
