from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import messages, out
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.backups import Manifest

FOLDER = typer.Argument(metavar="DIR", help="The folder for backups; each gets a folder of its own in it.")


def backup(
    folder: Annotated[Path, FOLDER],
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Read what earlier backups have kept, and copy again what is damaged there."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Back up the database and the stored documents, consistent with each other, while everything goes on.

    A later backup into the same folder copies only what is new. The master key is not part of it.
    """
    with deployed(as_json=as_json) as deployment:
        from ingest_assets.cli.work_progress import shown_progress
        from ingest_assets.composition.backups import backups_in, make_backup

        backup_id = uuid4()
        with shown_progress() as tell, backups_in(folder, deployment).making(backup_id, verifies=verify) as new:
            made = make_backup(deployment).make(new, backup_id, tell)
        if as_json:
            print_json(
                {
                    "folder": new.folder,
                    "backup_id": backup_id,
                    "taken_at": made.manifest.taken_at,
                    **made.manifest.counts,
                    "copied": made.copied,
                    "dump_bytes": made.manifest.dump.byte_size,
                    "deleted_meanwhile": made.manifest.deleted,
                    "missing": made.manifest.missing,
                }
            )
        else:
            counts = made.manifest.counts
            out.print(f"Backed up {counts['documents']} documents into {new.folder}.")
            others = "; an earlier backup has the others" if made.copied < counts["objects"] else ""
            out.print(f"Copied {made.copied} of {counts['objects']} objects{others}.")
            _tell_of_holes(made.manifest)
        if made.manifest.missing:
            raise typer.Exit(1)


def _tell_of_holes(manifest: Manifest) -> None:
    if manifest.deleted:
        messages.print(f"{len(manifest.deleted)} documents were deleted meanwhile; restoring leaves them out.")
    for each in manifest.missing:
        messages.print(f"The store lacks bytes of document {each}. See what helps: `ingest doctor --deep`")
