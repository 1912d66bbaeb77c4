"""When to look whether a remote job has ended: seldom until such jobs usually end, and then often."""

from collections.abc import Iterator

LEARNT_FROM = 5
"""So many jobs must have been seen before their duration is called usual."""
REMEMBERED = 50
EARLY_SHARE = 0.1
"""The share of jobs that end before it is worthwhile to look."""
LEAD_SECONDS = 1.0
"""How long before the usual end to begin looking: jobs that become quicker are noticed by this."""
OFTEN_SECONDS = 0.9
"""The pause between two looks when a job may end at any moment."""
OVERDUE = 2.0
"""After so many times the usual duration nobody knows when a job will end, and looks become rare again."""


class UsualDurations:
    """How long remote jobs take, by the size of their documents. Any number of threads may use it."""

    def __init__(self, *, first_pause: float, longest_pause: float) -> None:
        """Remember nothing yet.

        Args:
            first_pause: The pause before the first look; what a provider knows already is there by then.
            longest_pause: The longest pause while the usual duration is unknown, or long past.
        """
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._often = min(OFTEN_SECONDS, longest_pause)
        self._seconds: dict[int, tuple[float, ...]] = {}

    def note(self, pages: int, seconds: float) -> None:
        """Remember how long after its creation a job was seen to have ended."""
        size = pages.bit_length()
        self._seconds[size] = (*self._seconds.get(size, ()), seconds)[-REMEMBERED:]

    def pauses(self, pages: int) -> Iterator[float]:
        """Yield the pauses before each look at a job that has just been created, without end."""
        noted = sorted(self._seconds.get(pages.bit_length(), ()))
        if len(noted) < LEARNT_FROM:
            yield from self._growing(self._first_pause)
            return
        early, late = noted[int(len(noted) * EARLY_SHARE)], noted[-1]
        yield self._first_pause
        waited = self._first_pause
        if early - LEAD_SECONDS > waited + self._often:
            yield early - LEAD_SECONDS - waited
            waited = early - LEAD_SECONDS
        while waited < OVERDUE * late:
            yield self._often
            waited += self._often
        yield from self._growing(self._often)

    def _growing(self, pause: float) -> Iterator[float]:
        while True:
            yield pause
            pause = min(pause * 2, self._longest_pause)
