"""What Dagster's own worker process does with a run, and how Dagster explains that a worker died.

This module uses the body of `dagster api execute_run`, the reference with which it finds its instance, its handling of
signals, and the sentence with which run monitoring explains a death. A run in a forked process must leave the same
events.
"""

import dagster as dg
from dagster._cli.api import _execute_run_command_body
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import deserialize_value, serialize_value
from dagster._utils import get_run_crash_explanation
from dagster._utils.interrupts import capture_interrupts

__all__ = ["capture_interrupts", "execute_as_worker", "explain_crash", "instance_of", "reference_to"]


def reference_to(instance: dg.DagsterInstance) -> str:
    """Return a reference with which another process can open the instance. It names variables, not secrets."""
    return serialize_value(instance.get_ref())


def instance_of(reference: str) -> dg.DagsterInstance:
    """Return the instance that a reference stands for, with its own connections."""
    return dg.DagsterInstance.from_ref(deserialize_value(reference, InstanceRef))


def execute_as_worker(run_id: str, instance: dg.DagsterInstance) -> int:
    """Execute a launched run and return the exit code, which is 1 if the run failed."""
    return _execute_run_command_body(run_id, instance, lambda _: None, set_exit_code_on_failure=True)


def explain_crash(run_id: str, exit_code: int) -> str:
    """Return the sentence with which Dagster explains a worker's exit code."""
    return get_run_crash_explanation(f"Run execution process for {run_id}", exit_code)
