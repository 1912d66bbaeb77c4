"""Run processes that start at once: a warm server, which has imported Dagster already, forks one for each run.

`launcher` asks, in the daemon and the webserver. `server` answers, in the process that has imported everything.
`run_process` is what a forked process does. This works on Linux only; elsewhere, and if no server answers, Dagster's
default launcher starts the run.
"""

from ingest_assets.orchestration.warm_launcher.launcher import WarmRunLauncher

__all__ = ["WarmRunLauncher"]
