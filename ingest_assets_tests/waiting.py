"""Waiting for what other processes do."""

import time
from typing import Any


def until(what: Any, timeout: float = 240) -> Any:
    """Polls `what` until it gives something."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.25)
    raise AssertionError("it did not happen in time")
