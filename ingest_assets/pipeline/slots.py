"""Slots for documents that compute. A document that waits for a provider lends its slot to another."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition


class Slots:
    """Lets `count` documents compute at a time; any number may wait for providers meanwhile."""

    def __init__(self, count: int, *, freed: Callable[[], None]) -> None:
        """Make the slots.

        Args:
            count: How many documents may compute at a time.
            freed: Called in any thread whenever another document may begin.
        """
        self._free = count
        self._returning = 0
        self._waiting = 0
        self._changed = Condition()
        self._freed = freed

    @property
    def free(self) -> int:
        """How many documents may begin; those that return from waiting go first."""
        return max(0, self._free - self._returning)

    @property
    def waiting(self) -> int:
        """How many documents have lent their slot."""
        return self._waiting

    def take(self) -> None:
        with self._changed:
            self._free -= 1

    def give_back(self) -> None:
        with self._changed:
            self._free += 1
            self._changed.notify()
        self._freed()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Lend this document's slot to others while the block waits."""
        with self._changed:
            self._waiting += 1
        self.give_back()
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                self._returning += 1
                self._changed.wait_for(lambda: self._free > 0)
                self._returning -= 1
                self._free -= 1
