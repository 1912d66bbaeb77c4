"""What machines read: JSON on stdout, errors on stderr, the exit code."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from pydantic import ValidationError

from ingest_assets.cli.hints import hint_of
from ingest_assets.composition import Deployment
from ingest_assets.domain.errors import IngestError, PermanentError
from ingest_assets.pipeline.failure import as_ingest_error
from ingest_assets.settings import Settings

USAGE_CODES = frozenset(
    {"wrong_usage", "setting_invalid", "database_url_invalid", "ambiguous_name", "invalid_id", "user_missing"}
)


def print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


@contextmanager
def deployed(*, as_json: bool) -> Iterator[Deployment]:
    """Yield the deployment that the environment describes, and close it; errors become messages and exit codes."""
    with reported_errors(as_json=as_json):
        deployment = Deployment(settings_of_environment())
        try:
            deployment.keep_home_private()
            yield deployment
        finally:
            deployment.close()


@contextmanager
def reported_errors(*, as_json: bool) -> Iterator[None]:
    """Report any error of the block and exit: with 2 for wrong usage, with 1 for everything else."""
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        problem = as_ingest_error(error)
        report(problem, as_json=as_json)
        raise typer.Exit(2 if problem.code in USAGE_CODES else 1) from None


def report(problem: IngestError, *, as_json: bool) -> None:
    """Write an error to stderr."""
    if as_json:
        sys.stderr.write(json.dumps(describe(problem)) + "\n")
        return
    from ingest_assets.cli.console import messages

    messages.print(f"{problem.code}: {problem.message} {hint_of(problem.code, problem.hint)}")


def describe(problem: IngestError) -> dict[str, Any]:
    """Return an error as JSON, with the hint of the command line."""
    return {"code": problem.code, "message": problem.message, "hint": hint_of(problem.code, problem.hint)}


def settings_of_environment() -> Settings:
    """Return the settings in the environment.

    Raises:
        PermanentError: setting_invalid, which names the variable but not its value.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = [
            f"INGEST_{fault['loc'][0]}".upper() + f": {fault['msg'].removeprefix('Value error, ')}."
            for fault in error.errors()
            if fault["loc"]
        ]
        raise PermanentError("setting_invalid", what=" ".join(faults) or "The settings do not fit together.") from None
