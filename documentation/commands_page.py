"""docs/reference/commands.md: every verb of `ingest` with its help."""

from collections.abc import Iterator
from typing import Any

import click

from documentation.pages import code, page, table
from ingest_assets.cli.app import SUMMARIES, load_command

INTRODUCTION = """Each command has `--help` and `--json`, and `ingest --version` shows the version. Messages go to
stderr, errors with `--json` as `{"code": …, "message": …, "hint": …}`. The exit code is 0 for success, 1 if the work
failed, and 2 for wrong usage.

Where a DOCUMENT is asked for, an id, the beginning of one, a file name or a path will do. `search` and `facets` show
one user's documents. `status`, `list`, `explain`, `retry`, `cancel` and `delete` see everybody's, or only one user's
with `--user` or `INGEST_USER_ID`."""


def commands_page() -> str:
    """Return the page."""
    rows = [(f"[`ingest {name}`](#ingest-{name})", summary) for name, summary in SUMMARIES.items()]
    parts = [part for name in SUMMARIES for part in _section(name)]
    return page("Commands", INTRODUCTION, [table(("command", "what it does"), rows), *parts])


def _section(name: str) -> Iterator[str]:
    command = load_command(name)
    context = click.Context(command, info_name=f"ingest {name}")
    yield f"## ingest {name}"
    yield str(command.help)
    yield f"```text\n{' '.join([context.command_path, *command.collect_usage_pieces(context)])}\n```"
    rows = [row for parameter in command.get_params(context) if (row := _row(parameter, context))]
    yield table(("argument or option", "meaning"), rows)


def _row(parameter: Any, context: Any) -> tuple[str, str] | None:
    record = parameter.get_help_record(context)
    if record is None or "--help" in parameter.opts:
        return None
    return code(record[0]), record[1]
