"""A worker at work says so, again and again; its silence gives its documents back to the queue."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from ingest_assets.domain.errors import IngestError
from ingest_assets.pipeline.ports.queue import Jobs


@contextmanager
def kept_lease(jobs: Jobs, claim: str, lease: timedelta) -> Iterator[None]:
    """Renews the leases of `claim` three times per lease while the block runs."""
    finished = threading.Event()

    def keep() -> None:
        while not finished.wait(lease.total_seconds() / 3):
            try:
                jobs.renew(claim, lease)
            except IngestError:
                continue  # the next conditional write finds out what became of the claim

    keeper = threading.Thread(target=keep, name="lease keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        finished.set()
        keeper.join()
