"""How often Dagster's daemon looks whether a sensor is due: every second, where its own constant says every five.

Half of what a document waits for on an idle deployment would be this loop. It is a constant of a module that only the
daemon has loaded; other processes need not load it.
"""

import sys

MODULE = "dagster._daemon.sensor"
SECONDS = 1


def look_every_second() -> None:
    """Shorten the loop, if this process is the daemon."""
    module = sys.modules.get(MODULE)
    if module is not None:
        vars(module)["MIN_INTERVAL_LOOP_TIME"] = SECONDS
