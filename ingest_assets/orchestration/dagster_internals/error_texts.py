"""What Dagster may know about an error: its type and its traceback, and the message only if the catalogue wrote it.

A failure of a step has been put into words by the catalogue, so it is told without its type and its traceback.

Dagster keeps exceptions with their causes in its event log, its ticks and its heartbeats, sends them to its page, and
prints them. First, in the process that raised it, each becomes a SerializableErrorInfo through one method,
`from_traceback`; `withhold_messages` replaces that method. Dagster's public setting, `DAGSTER_REDACT_USER_CODE_ERRORS`,
would hide the traceback too.
"""

import sys
from traceback import TracebackException

import dagster as dg
from dagster._core import errors
from dagster_shared.error import SerializableErrorInfo

from ingest_assets.domain.errors import OutageError, PermanentError, ResourceError, TransientError

TELLING = (
    dg.Failure,  # made only from the catalogue's errors
    OutageError,
    TransientError,
    PermanentError,
    ResourceError,
    # Their messages contain names in this code, ids of runs and processes, and what other processes have redacted.
    errors.DagsterExecutionHandleOutputError,
    errors.DagsterExecutionLoadInputError,
    errors.DagsterExecutionStepExecutionError,
    errors.DagsterResourceFunctionError,
    errors.DagsterLaunchFailedError,
    errors.DagsterRunNotFoundError,
    errors.DagsterUserCodeProcessError,
    errors.DagsterUserCodeUnreachableError,
    errors.ScheduleExecutionError,
    errors.SensorExecutionError,
)
"""Exceptions of exactly these types keep their messages. All others keep only the type and the traceback."""

_FAILURE = f"{dg.Failure.__module__}.{dg.Failure.__qualname__}"
_TELLING = frozenset(f"{kind.__module__}.{kind.__qualname__}" for kind in TELLING)


def withhold_messages() -> None:
    """Replace the method in this process, permanently."""
    SerializableErrorInfo.from_traceback = _without_message  # type: ignore[method-assign,assignment]


def _without_message(trace: TracebackException) -> SerializableErrorInfo:
    name = _name_in(trace)
    if name == _FAILURE:
        return _told_failure(trace)
    said = "".join(trace.format_exception_only()) if name in _TELLING else f"{name} (its message is withheld)\n"
    context = None if trace.__suppress_context__ else trace.__context__
    return SerializableErrorInfo(
        message=said,
        stack=trace.stack.format(),
        cls_name=name.rpartition(".")[2],
        cause=_without_message(trace.__cause__) if trace.__cause__ else None,
        context=_without_message(context) if context else None,
    )


def _told_failure(trace: TracebackException) -> SerializableErrorInfo:
    """Return what a failure says, and nothing else: its traceback only shows how Dagster came to call a step."""
    said = "".join(trace.format_exception_only()).removeprefix(f"{_FAILURE}: ")
    return SerializableErrorInfo(message=said, stack=[], cls_name=dg.Failure.__name__, cause=None, context=None)


def _name_in(trace: TracebackException) -> str:
    if sys.version_info >= (3, 13):
        return trace.exc_type_str
    kind = trace.exc_type
    return f"{kind.__module__}.{kind.__qualname__}" if kind is not None else "an exception"
