"""How long work is told of while it goes on."""

from collections.abc import Callable

Tell = Callable[[str, int, int], None]
"""Hears what is being done, how much of it is done, and of how much, or 0 where that is not known."""


def telling_nobody(step: str, done: int, total: int) -> None:
    """Hear of work for which nobody waits."""
