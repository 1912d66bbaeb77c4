"""Wait for documents, with a progress bar on a terminal."""

import time
from collections.abc import Sequence

from ingest_assets.cli.console import messages
from ingest_assets.cli.hints import NOBODY_WORKS
from ingest_assets.cli.work_progress import shown_progress
from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.queue.stages import State
from ingest_assets.pipeline.ports.reading import Documents

POLL_SECONDS = 0.25
POLL_SHARE = 0.05
"""The share of the time that may be spent on polling, because workers need the database too."""
PATIENCE_SECONDS = 15
"""How long nothing may happen before a person is told how to start a worker."""

FINISHED = (State.DONE, State.DEADLETTER)


def wait_for(document_ids: Sequence[DocumentId], documents: Documents) -> bool:
    """Wait until each document is done or a dead letter, and return whether all of them are done."""
    with shown_progress() as tell:
        last, since = -1, time.monotonic()
        while True:
            asked = time.monotonic()
            states = documents.states(document_ids)
            pause = pause_after(time.monotonic() - asked)
            finished = sum(states.get(state, 0) for state in FINISHED)
            tell("ingesting", finished, len(document_ids))
            if finished == sum(states.values()):
                return states.get(State.DEADLETTER, 0) == 0
            if finished != last or states.get(State.WORKING):
                last, since = finished, time.monotonic()
            elif time.monotonic() - since > PATIENCE_SECONDS:
                messages.print(NOBODY_WORKS)
                since = time.monotonic()
            time.sleep(pause)


def pause_after(poll_seconds: float) -> float:
    """Return the seconds until the next poll, given how long the last one took."""
    return max(POLL_SECONDS, poll_seconds / POLL_SHARE)
