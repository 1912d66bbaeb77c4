from typing import Annotated

import typer

from ingest_assets.cli.arguments import Json, User, Where, user_of
from ingest_assets.cli.console import print_table
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.documents.metadata import check_key, parse_conditions


def facets(
    keys: Annotated[list[str], typer.Argument(metavar="KEY", help="Keys of metadata, such as line_of_business.")],
    user: User = None,
    where: Where = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="The most values of each key.")] = 100,
    as_json: Json = False,
) -> None:
    """Count the user's documents by the values of their metadata."""
    with deployed(as_json=as_json) as deployment:
        owner = user_of(user, deployment.settings)
        conditions = parse_conditions(where or ())
        chosen = deployment.search_index.documents_that_meet(owner, conditions) if conditions else None
        counted = deployment.documents_of(owner).facets(owner, list(map(check_key, keys)), limit, chosen)
        if as_json:
            print_json(counted)
        else:
            rows = [(key, value, count) for key, values in counted.items() for value, count in values.items()]
            print_table(("key", "value", "documents"), rows)
