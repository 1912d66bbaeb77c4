from typing import Annotated

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import out
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.cli.work_progress import shown_progress

Needed = Annotated[
    bool,
    typer.Option("--needed", help="Apply only what this release needs, as `ingest up` does: older releases work on."),
]


def migrate(needed_only: Needed = False, as_json: Json = False) -> None:
    """Bring the database's schema up to date. It is safe to run again, and by two people at once."""
    with deployed(as_json=as_json) as deployment:
        with shown_progress() as tell:
            applied = deployment.migrate(needed_only=needed_only, tell=tell)
        waiting = deployment.diagnosis.pending_migrations()
        if as_json:
            print_json({"applied": applied, "waiting": waiting})
            return
        if applied:
            out.print(f"Applied: {', '.join(applied)}.")
        if waiting:
            out.print(f"Once no older release runs, apply {', '.join(waiting)}: `ingest migrate`.")
        elif not applied:
            out.print("The schema is up to date.")
