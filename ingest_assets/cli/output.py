"""What the commands print: tables for people on stdout, JSON for machines on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from ingest_assets.composition import Deployment, compose
from ingest_assets.domain.errors import IngestError, PermanentError
from ingest_assets.pipeline.failure import as_ingest_error
from ingest_assets.settings import Settings

USAGE_CODES = frozenset({"wrong_usage", "invalid_id", "user_missing"})

WIDE = 10_000
"""Columns where nobody watches: a pipe or a log gets whole lines."""

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
messages = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: object) -> None:
    sys.stdout.write(json.dumps(value, indent=2, default=str) + "\n")


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    headings = (Column(column, overflow="fold") for column in columns)
    table = Table(*headings, box=None, pad_edge=False, show_header=any(columns))
    for row in rows:
        table.add_row(*(Text("" if cell is None else str(cell)) for cell in row))
    out.print(table)


@contextmanager
def deployed(*, as_json: bool) -> Iterator[Deployment]:
    """The deployment that the environment describes, closed at the end; errors become messages and exit codes."""
    with reported_errors(as_json=as_json):
        deployment = compose(settings_of_environment())
        try:
            yield deployment
        finally:
            deployment.close()


@contextmanager
def reported_errors(*, as_json: bool) -> Iterator[None]:
    try:
        yield
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        problem = as_ingest_error(error)
        report(problem, as_json=as_json)
        raise typer.Exit(2 if problem.code in USAGE_CODES else 1) from None


def report(problem: IngestError, *, as_json: bool) -> None:
    if as_json:
        sys.stderr.write(json.dumps(describe(problem)) + "\n")
    else:
        messages.print(Text(f"{problem.code}: {problem.message} {problem.hint}"))


def describe(problem: IngestError) -> dict[str, Any]:
    return {"code": problem.code, "message": problem.message, "hint": problem.hint}


def settings_of_environment() -> Settings:
    """Raises PermanentError wrong_usage, naming the variable but not its value."""
    try:
        return Settings()
    except ValidationError as error:
        faults = [
            f"INGEST_{fault['loc'][0]}".upper() + f": {fault['msg']}." for fault in error.errors() if fault["loc"]
        ]
        raise PermanentError("wrong_usage", what=" ".join(faults) or "The settings do not fit together.") from None
