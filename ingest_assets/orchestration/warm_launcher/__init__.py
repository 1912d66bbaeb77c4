"""Runs without the seconds that a new process takes to import Dagster: a warm server forks one for each.

`launcher` asks, in the daemon and the webserver; `server` answers, in a process that has everything imported; what a
forked process does is in `run_process`. Linux only: elsewhere, and where no server answers, Dagster's default launcher
takes the run.
"""

from ingest_assets.orchestration.warm_launcher.launcher import WarmRunLauncher

__all__ = ["WarmRunLauncher"]
