"""What a run launcher consists of, and how to ask Dagster's default launcher about its runs.

This module uses the base class of launchers and its types, which Dagster does not export; the default launcher, to
which runs may be handed; the tag with which that launcher marks its runs; and the client and the request that ask a
code server whether a run's process is alive, because the default launcher's health check does not notice a dead code
server.
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
    """Return whether the default launcher launched the run."""
    return GRPC_INFO_TAG in run.tags


def code_server_has(run: dg.DagsterRun) -> bool:
    """Return whether the code server that started the run is alive and knows the run's process."""
    client = DagsterGrpcClient(**json.loads(run.tags[GRPC_INFO_TAG]))
    try:
        reply = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id))
    except DagsterUserCodeUnreachableError:
        return False
    return bool(deserialize_value(reply, CanCancelExecutionResult).can_cancel)
