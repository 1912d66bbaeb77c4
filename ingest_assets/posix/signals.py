"""Signals that ask a process to stop."""

import signal


def stop_on_signals() -> None:
    """Raise KeyboardInterrupt in the main thread on SIGINT and SIGTERM from now on.

    A background job of a shell starts with SIGINT ignored; it listens after this too.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
