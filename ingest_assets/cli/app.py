"""One Typer application; each command lives in the module of its name."""

import typer

from ingest_assets.cli import (
    costs,
    database,
    delete,
    doctor,
    drain,
    explain,
    refresh,
    retry,
    search,
    serve,
    status,
    submit,
    up,
)

app = typer.Typer(
    name="ingest",
    help="Gets an organisation's documents searchable, and keeps them so.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("up")(up.up)
app.command("submit")(submit.submit)
app.command("status")(status.status)
app.command("explain")(explain.explain)
app.command("search")(search.search)
app.command("drain")(drain.drain)
app.command("retry")(retry.retry)
app.command("refresh")(refresh.refresh)
app.command("delete")(delete.delete)
app.command("costs")(costs.costs)
app.command("serve")(serve.serve)
app.command("migrate")(database.migrate)
app.command("doctor")(doctor.doctor)
app.command("database-url")(database.database_url)


def main() -> None:
    app()
