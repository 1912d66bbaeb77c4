from pathlib import Path
from typing import Annotated

import typer

from ingest_assets.cli.arguments import Json, actor_of
from ingest_assets.cli.commands.up import sole_user_of
from ingest_assets.cli.console import messages, out
from ingest_assets.cli.output import deployed, print_json

FOLDER = typer.Argument(metavar="DIR", help="The folder for backups, whose newest is restored, or that of one backup.")


def restore(folder: Annotated[Path, FOLDER], as_json: Json = False) -> None:
    """Restore a backup into an empty database and an empty document store.

    If it is interrupted, run it again.
    """
    with deployed(as_json=as_json) as deployment, sole_user_of(deployment.settings.home_folder):
        from ingest_assets.cli.work_progress import shown_progress
        from ingest_assets.composition.backups import backups_in, make_restoration

        chosen = backups_in(folder, deployment).newest()
        with shown_progress() as tell:
            restored = make_restoration(deployment).restore(chosen, actor_of("restore"), tell)
        if deployment.settings.embedded:
            deployment.prepare_databases()  # closes Dagster's database to readers
        manifest = restored.manifest
        documents = manifest.counts["documents"] - restored.deleted
        if as_json:
            print_json(
                {
                    "backup_id": manifest.backup_id,
                    "taken_at": manifest.taken_at,
                    "documents": documents,
                    "objects": manifest.counts["objects"],
                    "requeued": restored.requeued,
                    "deleted": restored.deleted,
                    "damaged": restored.damaged,
                }
            )
        else:
            out.print(f"Restored {documents} documents as of {manifest.taken_at.astimezone():%Y-%m-%d %H:%M:%S}.")
            out.print("Start everything: `ingest up`")
            out.print("Then check it: `ingest doctor --deep`")
            for each in restored.damaged:
                messages.print(f"The backup lacks bytes of document {each}. See what helps: `ingest doctor --deep`")
        if restored.damaged:
            raise typer.Exit(1)
