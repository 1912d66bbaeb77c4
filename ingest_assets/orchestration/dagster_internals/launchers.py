"""What a run launcher is made of, and how Dagster's default launcher is asked about its runs.

Uses the base class of launchers with its types, which public Dagster lacks; the default launcher, to hand runs on to;
the tag by which that launcher knows its runs; and the client and the request with which a code server is asked whether
a run's process is alive: the default launcher's health check does not notice a code server that has died.
"""

import json

import dagster as dg
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.launcher import CheckRunHealthResult, DefaultRunLauncher, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

__all__ = [
    "CheckRunHealthResult",
    "DefaultRunLauncher",
    "LaunchRunContext",
    "RunLauncher",
    "WorkerStatus",
    "code_server_has",
    "is_of_default_launcher",
]


def is_of_default_launcher(run: dg.DagsterRun) -> bool:
    """Return whether the default launcher has launched the run."""
    return GRPC_INFO_TAG in run.tags


def code_server_has(run: dg.DagsterRun) -> bool:
    """Return whether the code server that started the run knows its process; one that has died knows nothing."""
    client = DagsterGrpcClient(**json.loads(run.tags[GRPC_INFO_TAG]))
    try:
        reply = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
    except DagsterUserCodeUnreachableError:
        return False
    return bool(deserialize_value(reply, CanCancelExecutionResult).can_cancel)
