"""Look out for what is worth an alert, in a thread of a command that runs all the time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ingest_assets.composition import Deployment

SECONDS = 30.0
"""How often it is looked. Everybody who looks shares the hour for which a condition is not told again."""


@contextmanager
def looking_out(deployment: Deployment, seconds: float = SECONDS) -> Iterator[None]:
    """Look out during the block, if anybody wants alerts. A look that is under way at its end ends first."""
    if deployment.settings.alert_webhook_url is None:
        yield
        return
    over = threading.Event()

    def look() -> None:
        from ingest_assets.pipeline.failure import passing_over
        from ingest_assets.pipeline.lookout import Lookout

        lookout = Lookout(deployment.alerting)
        while not over.wait(seconds):
            passing_over(deployment.observer, "looking out for what is wrong", lookout.look)

    thread = threading.Thread(target=look, name="lookout", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
