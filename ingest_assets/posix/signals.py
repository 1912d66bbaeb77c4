"""Signals that ask a process to stop."""

import signal


def stop_on_signals() -> None:
    """Raise KeyboardInterrupt in the main thread on SIGINT and SIGTERM from now on.

    A shell starts a background job with SIGINT ignored; after this call, such a job reacts to it too.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
