"""Intake by events: a source tells what arrives, it is taken in, and only then the source is told so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol, TypeVar

from ingest_assets.domain.documents.document import Acceptance
from ingest_assets.domain.errors import IngestError, OutageError, PermanentError
from ingest_assets.domain.files.skipping import SkipReason
from ingest_assets.pipeline.outages import PAUSE_SECONDS
from ingest_assets.pipeline.ports.watching import EventSource, Notice
from ingest_assets.pipeline.pruning import Pruned

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of something that arrived or went."""

    source: str
    became: Acceptance | IngestError | SkipReason | Pruned


Tell = Callable[[Outcome], None]
Unlist = Callable[[Pruned], None]
"""Takes a document that was deleted off Dagster's list."""


def no_unlisting(_: Pruned) -> None:
    """Leave Dagster's list as it is."""


class Arrivals(Protocol):
    """Takes in what notices are about."""

    def take_in(self, notices: Sequence[Notice], tell: Tell) -> Sequence[Notice]:
        """Take everything in, and return what must be told again; it does no harm to do so twice."""


@dataclass
class Watch:
    source: EventSource
    arrivals: Arrivals
    tell: Tell
    tell_trouble: Callable[[IngestError], None]
    pause_seconds: float = PAUSE_SECONDS
    _trouble: str | None = field(default=None, init=False)

    def run(self) -> None:
        """Take in what arrives until somebody interrupts."""
        while True:
            self.take_in_next()

    def take_in_next(self) -> int:
        """Take in what has arrived next, and return how many notices of it there were.

        A crash before everything is committed leaves the notices unacknowledged, so that nothing is lost. After one
        between the commit and the acknowledgement they are told again, and find their documents unchanged.
        """
        notices = self._outlasting(self.source.receive)
        if not notices:
            return 0
        try:
            postponed = self._outlasting(lambda: self.arrivals.take_in(notices, self.tell))
        except PermanentError:
            raise
        except IngestError as error:
            self._tell_once(error)
            postponed = notices
        for notice in postponed:
            self.source.postpone(notice)
        for notice in notices:
            if notice not in postponed:
                self._outlasting(lambda done=notice: self.source.acknowledge(done))  # type: ignore[misc]
        return len(notices)

    def _outlasting(self, act: Callable[[], Result]) -> Result:
        """Return what `act` returns; an outage is told once, and may last as long as it likes."""
        while True:
            try:
                result = act()
            except IngestError as error:
                if not isinstance(error, OutageError) and error.code != "intake_unconfirmed":
                    raise
                self._tell_once(error)
            else:
                self._trouble = None
                return result
            Event().wait(self.pause_seconds)

    def _tell_once(self, error: IngestError) -> None:
        if error.code != self._trouble:
            self._trouble = error.code
            self.tell_trouble(error)
