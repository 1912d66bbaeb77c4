"""What a forked process does: execute one run as Dagster's own worker does, or report that one has died."""

import ctypes
import gc
import os
import signal

import dagster as dg
from dagster._cli.api import _execute_run_command_body
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import deserialize_value
from dagster._utils import get_run_crash_explanation
from dagster._utils.interrupts import capture_interrupts

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def execute_run(run_id: str, instance: str, server: int) -> None:
    """Exits with 1 where the run failed. Begins with signals blocked, lest one comes before Dagster listens."""
    gc.enable()
    _end_with(server)
    with capture_interrupts():
        signal.pthread_sigmask(signal.SIG_SETMASK, [])
        with _instance(instance) as own_instance:
            code = _execute_run_command_body(run_id, own_instance, lambda _: None, set_exit_code_on_failure=True)
    raise SystemExit(code)


def report_death(run_id: str, instance: str, exit_code: int) -> None:
    """Fails the run, unless it has ended in some way."""
    with _instance(instance) as own_instance:
        run = own_instance.get_run_by_id(run_id)
        if run is not None and not run.is_finished:
            message = get_run_crash_explanation(f"Run execution process for {run_id}", exit_code)
            own_instance.report_engine_event(message, run)
            own_instance.report_run_failed(run)


def _instance(reference: str) -> dg.DagsterInstance:
    return dg.DagsterInstance.from_ref(deserialize_value(reference, InstanceRef))


def _end_with(server: int) -> None:
    """A server that is killed takes its runs with it: each gets the signal of an orderly end."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != server:
        raise SystemExit(1)
