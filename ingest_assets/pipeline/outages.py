"""Outlast outages: what must not be lost is tried again for a while."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import TypeVar

from ingest_assets.domain.errors import OutageError
from ingest_assets.pipeline.ports.clock import Clock

PATIENCE = timedelta(seconds=60)
"""How long an outage may last before something is given up."""
PAUSE_SECONDS = 1.0
"""How long to wait before something is tried again."""

Result = TypeVar("Result")


def outlasting(act: Callable[[], Result], clock: Clock) -> Result:
    """Return what `act` returns; during an outage, call it again for up to `PATIENCE`.

    An outage may begin between the act and its acknowledgement, so it must do no harm to act twice.

    Raises:
        OutageError: The outage lasts longer.
    """
    ends_at = clock.seconds() + PATIENCE.total_seconds()
    while True:
        try:
            return act()
        except OutageError:
            if clock.seconds() >= ends_at:
                raise
        Event().wait(PAUSE_SECONDS)
