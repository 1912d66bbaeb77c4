"""A working worker renews its lease; if it falls silent, its documents return to the queue."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from ingest_assets.pipeline.failure import passing_over
from ingest_assets.pipeline.outages import PAUSE_SECONDS
from ingest_assets.pipeline.ports.claiming import Claims
from ingest_assets.pipeline.ports.observing import Observer


@contextmanager
def kept_lease(claims: Claims, claim: str, lease: timedelta, observer: Observer) -> Iterator[None]:
    """Renew the leases of `claim` three times per lease while the block runs."""
    finished = threading.Event()

    def keep() -> None:
        usual = pause = lease.total_seconds() / 3
        while not finished.wait(pause):
            # If this fails, the next write finds out whether the claim still stands.
            renewed = passing_over(observer, "renewing a lease", lambda: claims.renew(claim, lease))
            pause = usual if renewed else min(PAUSE_SECONDS, usual)

    keeper = threading.Thread(target=keep, name="lease keeper", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        finished.set()
        keeper.join()
