"""One Typer application. A command is the function of its name in the module of its name; calling it imports it."""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ingest_assets.composition import key_patterns
from ingest_assets.posix.guarded_process import guard_process
from ingest_assets.posix.log_lines import follow_the_setting

SUMMARIES = {
    "up": "Run everything in the foreground.",
    "submit": "Submit files or folders.",
    "watch": "Take in what arrives in folders or buckets.",
    "status": "Count documents, or show where one stands.",
    "list": "List documents, with what could not be read of them.",
    "explain": "Say why a document is or is not searchable.",
    "search": "Find the passages that best answer a query.",
    "facets": "Count documents by the values of their metadata.",
    "metadata": "Show or change what is known about a document.",
    "drain": "Process the queue in the foreground until it is empty.",
    "retry": "Queue failed documents again.",
    "cancel": "Take documents out of the queue again.",
    "pause": "Begin with no more documents.",
    "resume": "End a pause.",
    "refresh": "Queue documents again that other tools have made.",
    "delete": "Delete documents and everything made of them.",
    "encrypt": "Encrypt what is stored already.",
    "export": "Export the history and an index of what is stored.",
    "report": "Show the dashboards as one page.",
    "metrics": "Print what Prometheus may measure.",
    "backup": "Back up the database and the stored documents.",
    "restore": "Restore a backup into an empty place.",
    "copy-store": "Copy the stored documents into another folder or bucket.",
    "costs": "Show what providers have cost.",
    "worker": "Execute the runs of a cluster on this host.",
    "serve": "Serve intake, status and search over HTTP.",
    "migrate": "Bring the database's schema up to date.",
    "doctor": "Check everything the pipeline depends on.",
    "env": "Print shell lines for `dagster` commands.",
    "database-url": "Print the URL of the database in use.",
}
SETTINGS: dict[str, Any] = {
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


class Commands(TyperGroup):
    """Lists the registered commands without importing them, and imports the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else None, rest


def load_command(name: str) -> Any:
    """Import a command and return it with its options."""
    function = name.replace("-", "_")
    alone = typer.Typer(add_completion=False, **SETTINGS)
    alone.command(name)(getattr(import_module(f"ingest_assets.cli.commands.{function}"), function))
    return get_command(alone)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ingest-assets {version('ingest-assets')}")
        raise typer.Exit


def _options(
    shows_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before the command."""


def _not_loaded() -> None:
    """Stand in for a command until it is called."""


app = typer.Typer(
    name="ingest",
    cls=Commands,
    help="Makes an organisation's documents searchable, and keeps them so.",
    no_args_is_help=True,
    **SETTINGS,
)
app.callback()(_options)
for _name, _summary in SUMMARIES.items():
    app.command(_name, help=_summary)(_not_loaded)


def main() -> None:
    guard_process(key_patterns())
    follow_the_setting()
    app()
