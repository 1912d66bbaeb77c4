from typing import Annotated

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import out
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.roles import Role
from ingest_assets.settings import login_url


def database_url(
    dagster: Annotated[bool, typer.Option("--dagster", help="Print the URL of Dagster's own database.")] = False,
    role: Annotated[
        Role | None, typer.Option("--role", help="Print a URL that logs in as this role, without a password.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print the URL of the database in use. The embedded server stops when nothing uses it any more."""
    with deployed(as_json=as_json) as deployment:
        if dagster and role is not None:
            raise PermanentError("wrong_usage", what="The roles do not exist in Dagster's database.")
        url = deployment.dagster_database_url if dagster else deployment.database_url
        if role is not None:
            url = login_url(url, role)
        if as_json:
            print_json({"url": url})
        else:
            out.print(url)
