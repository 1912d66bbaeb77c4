"""What a forked process does: it executes one run as Dagster's own worker does, or reports that one has died."""

import gc
import signal

from ingest_assets.orchestration.dagster_internals.run_workers import (
    capture_interrupts,
    execute_as_worker,
    explain_crash,
    instance_of,
)
from ingest_assets.posix.parent_death import end_with_parent


def execute_run(run_id: str, instance: str, server: int) -> None:
    """Execute a run in this forked process.

    If the server is killed, its runs end in order, because each gets SIGTERM.

    Args:
        run_id: The launched run.
        instance: The reference to its instance.
        server: The process id of the server, which forks with signals blocked until Dagster can handle them.

    Raises:
        SystemExit: Always; with 1 if the run failed or the server is gone.
    """
    gc.enable()
    end_with_parent(signal.SIGTERM, server)
    with capture_interrupts():
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        with instance_of(instance) as own_instance:
            code = execute_as_worker(run_id, own_instance)
    raise SystemExit(code)


def report_death(run_id: str, instance: str, exit_code: int) -> None:
    """Mark the run as failed, unless it has ended already."""
    with instance_of(instance) as own_instance:
        run = own_instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            own_instance.report_engine_event(explain_crash(run_id, exit_code), run)
            own_instance.report_run_failed(run)
