"""What a forked process of a worker does with a run."""

import signal

import dagster as dg

from ingest_assets.orchestration.dagster_internals.run_workers import capture_interrupts, execute_as_worker

WORKER_TAG = "ingest/worker"
"""The tag of runs; its value is the name of the worker that executes them."""
TO_BEGIN = (dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING)


def execute_run(run_id: str, worker: str) -> None:
    """Execute a run that nobody has begun.

    The broker may hand a run over twice, after a connection was lost: what has begun is not begun again.

    Args:
        run_id: The run, which Dagster's storage has.
        worker: The name of this worker.
    """
    with capture_interrupts():
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        with dg.DagsterInstance.get() as instance:
            run = instance.get_run_by_id(run_id)
            if run is not None and run.status in TO_BEGIN:
                instance.add_run_tags(run_id, {WORKER_TAG: worker})
                execute_as_worker(run_id, instance)
            elif run is not None and run.status is dg.DagsterRunStatus.CANCELING:
                instance.report_run_canceled(run)
