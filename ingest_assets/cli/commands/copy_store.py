from dataclasses import asdict
from typing import Annotated

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import out
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.errors import PermanentError
from ingest_assets.settings import is_url_of_store

TARGET = typer.Argument(metavar="URL", help="Where to: file:///path or s3://bucket/prefix.")
AGAIN = (
    "Then stop all that takes documents in or works on them, on every host; copy once more what came meanwhile; set "
    "INGEST_STORAGE_URL everywhere, and start again. The former store keeps its documents, and later deletions do not "
    "reach it: delete it when it is no longer needed."
)


def copy_store(
    target: Annotated[str, TARGET],
    verify: Annotated[
        bool, typer.Option("--verify", help="Also compare the contents of what is there already.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Copy the stored documents into another folder or bucket, while everything goes on.

    What was copied is read again. To repeat it goes on where it was interrupted, copies what has come meanwhile, and
    removes what was deleted.
    """
    with deployed(as_json=as_json) as deployment:
        if not is_url_of_store(target):
            raise PermanentError("wrong_usage", what="The target must look like file:///path or s3://bucket/prefix.")
        from ingest_assets.cli.work_progress import shown_progress
        from ingest_assets.composition.object_stores import make_store_copy

        with shown_progress() as tell:
            made = make_store_copy(deployment, target).make(tell, verify=verify)
        if as_json:
            print_json(asdict(made))
            return
        out.print(f"Copied {made.copied} objects; {made.present} were there already. Removed: {made.removed}.")
        if made.copied:
            out.print(AGAIN)
