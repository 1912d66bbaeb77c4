"""Slots for documents that compute. A document that waits for a provider lends its slot to another."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition


class Slots:
    """Lets `count` documents compute at a time; any number may wait for providers meanwhile.

    Heavy documents leave one slot to light ones, unless it is the only one. Whoever returns from waiting goes first.
    """

    def __init__(self, count: int, *, freed: Callable[[], None]) -> None:
        """Make the slots.

        Args:
            count: How many documents may compute at a time.
            freed: Called in any thread whenever another document may begin.
        """
        self._free = count
        self._free_for_heavy = max(1, count - 1)
        self._returning = {True: 0, False: 0}
        """How many documents want their slot back, by whether they are heavy."""
        self._waiting = 0
        self._changed = Condition()
        self._freed = freed

    @property
    def waiting(self) -> int:
        """How many documents have lent their slot."""
        return self._waiting

    def try_take(self, *, heavy: bool) -> "Slot | None":
        """Return a slot for a document that begins, or None if there is none for it now."""
        with self._changed:
            returning = self._returning[False] + min(self._returning[True], self._free_for_heavy)
            if self._free <= returning or (heavy and self._free_for_heavy <= self._returning[True]):
                return None
            self._take(heavy=heavy)
        return Slot(self, heavy=heavy)

    def _take(self, *, heavy: bool) -> None:
        self._free -= 1
        self._free_for_heavy -= heavy

    def give_back(self, *, heavy: bool) -> None:
        with self._changed:
            self._free += 1
            self._free_for_heavy += heavy
            self._changed.notify_all()
        self._freed()

    @contextmanager
    def lent(self, *, heavy: bool) -> Iterator[None]:
        with self._changed:
            self._waiting += 1
        self.give_back(heavy=heavy)
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1
                self._returning[heavy] += 1
                self._changed.wait_for(lambda: self._free > 0 and (self._free_for_heavy > 0 or not heavy))
                self._returning[heavy] -= 1
                self._take(heavy=heavy)


class Slot:
    """The slot of one document."""

    def __init__(self, slots: Slots, *, heavy: bool) -> None:
        self._slots = slots
        self._heavy = heavy

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Lend the slot to others while the block waits."""
        with self._slots.lent(heavy=self._heavy):
            yield

    def give_back(self) -> None:
        self._slots.give_back(heavy=self._heavy)
