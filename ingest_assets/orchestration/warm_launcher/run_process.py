"""What a forked process does: execute one run as Dagster's own worker does, or report that one has died."""

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

    A server that is killed takes its runs with it: each gets the signal of an orderly end.

    Args:
        run_id: The run, which has been launched.
        instance: The reference to its instance.
        server: The process id of the server. It forks with signals blocked, lest one comes before Dagster listens.

    Raises:
        SystemExit: Always; with 1 where the run failed or the server is gone.
    """
    gc.enable()
    end_with_parent(signal.SIGTERM, server)
    with capture_interrupts():
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        with instance_of(instance) as own_instance:
            code = execute_as_worker(run_id, own_instance)
    raise SystemExit(code)


def report_death(run_id: str, instance: str, exit_code: int) -> None:
    """Fail the run, unless it has ended in some way."""
    with instance_of(instance) as own_instance:
        run = own_instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            own_instance.report_engine_event(explain_crash(run_id, exit_code), run)
            own_instance.report_run_failed(run)
