"""Slots for documents that compute. A document that waits for a provider lends its slot meanwhile.

Some steps also need a place in their lane: at a provider, or among the documents whose text is recognised.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from math import inf
from threading import Condition

from ingest_assets.domain.queue.lanes import Lane


class Slots:
    """Lets `count` documents compute at a time, while others wait for providers, as many as have places in their lanes.

    Heavy documents leave one slot to light ones, unless it is the only one. Whoever returns from waiting goes first.
    """

    def __init__(self, count: int, *, places: Mapping[Lane, int] | None = None, freed: Callable[[], None]) -> None:
        """Make the slots.

        Args:
            count: How many documents may compute at a time.
            places: How many documents may be at a time in each lane; without a number, all.
            freed: Called in any thread whenever another document may begin.
        """
        self._free = count
        self._free_for_heavy = max(1, count - 1)
        self._returning = {True: 0, False: 0}
        """How many documents want their slot back, by whether they are heavy."""
        self._waiting = 0
        self._places = places or {}
        self._bound: Counter[Lane] = Counter()
        """How many documents are in a lane or on their way to it."""
        self._inside: Counter[Lane] = Counter()
        self._changed = Condition()
        self._freed = freed

    @property
    def waiting(self) -> int:
        """How many documents have lent their slot."""
        return self._waiting

    def try_take(self, *, heavy: bool, lane: Lane | None = None) -> "Slot | None":
        """Return a slot for a document that begins and goes to this lane, or None if there is no room for it now."""
        with self._changed:
            returning = self._returning[False] + min(self._returning[True], self._free_for_heavy)
            if self._free <= returning or (heavy and self._free_for_heavy <= self._returning[True]):
                return None
            if lane is not None:
                if self._bound[lane] >= self._places.get(lane, inf):
                    return None
                self._bound[lane] += 1
            self._take(heavy=heavy)
        return Slot(self, heavy=heavy, lane=lane)

    def _take(self, *, heavy: bool) -> None:
        self._free -= 1
        self._free_for_heavy -= heavy

    def give_back(self, *, heavy: bool, lane: Lane | None) -> None:
        """Take a slot back, from a document that goes nowhere else if it was on its way to a lane."""
        with self._changed:
            self._leave(lane)
            self._free += 1
            self._free_for_heavy += heavy
            self._changed.notify_all()
        self._freed()

    def bind(self, lane: Lane) -> None:
        with self._changed:
            self._bound[lane] += 1

    def leave(self, lane: Lane) -> None:
        """Note that a document which kept its slot has left the lane."""
        with self._changed:
            self._leave(lane)
            self._changed.notify_all()
        self._freed()

    def _leave(self, lane: Lane | None) -> None:
        if lane is not None:
            self._bound[lane] -= 1

    @contextmanager
    def lent(self, *, heavy: bool, lane: Lane) -> Iterator[None]:
        """Lend a slot while its document, which is bound for this lane, is in it."""
        with self._changed:
            self._waiting += 1
        self.give_back(heavy=heavy, lane=None)
        try:
            with self._changed:
                self._changed.wait_for(lambda: self._inside[lane] < self._places.get(lane, inf))
                self._inside[lane] += 1
            try:
                yield
            finally:
                with self._changed:
                    self._inside[lane] -= 1
                    self._leave(lane)
                    self._changed.notify_all()
                self._freed()
        finally:
            with self._changed:
                self._waiting -= 1
                self._returning[heavy] += 1
                self._changed.wait_for(lambda: self._free > 0 and (self._free_for_heavy > 0 or not heavy))
                self._returning[heavy] -= 1
                self._take(heavy=heavy)


class Slot:
    """The slot of one document."""

    def __init__(self, slots: Slots, *, heavy: bool, lane: Lane | None) -> None:
        self._slots = slots
        self._heavy = heavy
        self._bound_for = lane

    @contextmanager
    def lent(self, lane: Lane) -> Iterator[None]:
        """Lend the slot to others while the block waits in a lane, once there is room in it."""
        if self._bound_for != lane:
            self._slots.bind(lane)
        else:
            self._bound_for = None
        with self._slots.lent(heavy=self._heavy, lane=lane):
            yield

    @contextmanager
    def kept(self, lane: Lane) -> Iterator[None]:
        """Keep the slot while the block computes in the lane for which the document is bound."""
        try:
            yield
        finally:
            if self._bound_for == lane:
                self._bound_for = None
                self._slots.leave(lane)

    def give_back(self) -> None:
        self._slots.give_back(heavy=self._heavy, lane=self._bound_for)
