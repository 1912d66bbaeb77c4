"""Programs that heed Ctrl-C, whoever starts the tests: a shell has what it runs in the background ignore it."""

import sys

HEEDING = (
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])",
)
"""Stands before a program's path and its arguments."""
