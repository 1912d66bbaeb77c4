from typing import Annotated

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import out
from ingest_assets.cli.output import deployed, print_json


def database_url(
    dagster: Annotated[bool, typer.Option("--dagster", help="Dagster's own database, as it spells it.")] = False,
    as_json: Json = False,
) -> None:
    """Print the URL of the database in use; the embedded server runs while something uses it, such as `ingest up`."""
    with deployed(as_json=as_json) as deployment:
        url = deployment.dagster_database_url if dagster else deployment.database_url
        if as_json:
            print_json({"url": url})
        else:
            out.print(url)
