"""One Typer application. Each command is the function of its name in the module of its name, imported when called."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from ingest_assets.composition import key_patterns
from ingest_assets.posix.guarded_process import guard_process

SUMMARIES = {
    "up": "Run everything in the foreground.",
    "submit": "Take files in.",
    "status": "Count documents, or show where one stands.",
    "explain": "Say why a document is or is not searchable.",
    "search": "Find the passages that answer a query best.",
    "drain": "Work the queue off in the foreground.",
    "retry": "Queue failed documents again.",
    "refresh": "Queue again what another parser, chunker or model made.",
    "delete": "Remove documents with all that was made of them.",
    "export": "Write down what is stored of a user or a document, and what was done.",
    "costs": "Sum up what providers have cost.",
    "serve": "Serve intake, status and search over HTTP.",
    "migrate": "Bring the database's schema up to date.",
    "doctor": "Try everything the pipeline depends on.",
    "database-url": "Print the URL of the database in use.",
}
SETTINGS: dict[str, Any] = {
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
    "context_settings": {"help_option_names": ["-h", "--help"]},
}


class Commands(TyperGroup):
    """Lists what is registered, calls what is loaded."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, load_command(name) if name else None, rest


def load_command(name: str) -> Any:
    function = name.replace("-", "_")
    alone = typer.Typer(add_completion=False, **SETTINGS)
    alone.command(name)(getattr(import_module(f"ingest_assets.cli.{function}"), function))
    return get_command(alone)


def _not_loaded() -> None:
    """Stands for a command until it is called."""


app = typer.Typer(
    name="ingest",
    cls=Commands,
    help="Gets an organisation's documents searchable, and keeps them so.",
    no_args_is_help=True,
    **SETTINGS,
)
for _name, _summary in SUMMARIES.items():
    app.command(_name, help=_summary)(_not_loaded)


def main() -> None:
    guard_process(key_patterns())
    app()
