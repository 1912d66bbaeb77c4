from dataclasses import asdict
from typing import Annotated

import typer
from rich.text import Text

from ingest_assets.cli.arguments import Json, User, Where, user_of
from ingest_assets.cli.console import messages, out
from ingest_assets.cli.hints import NOTHING_FOUND
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.documents.metadata import parse_conditions
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.search.hits import Hit
from ingest_assets.domain.text.normalisation import normalise


def search(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="A question, or some words.")],
    user: User = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help="The most passages to show.")] = 5,
    where: Where = None,
    as_json: Json = False,
) -> None:
    """Find the passages in the user's documents that best answer a query."""
    with deployed(as_json=as_json) as deployment:
        if not normalise(query).strip():
            raise PermanentError("wrong_usage", what="The query is empty.")
        conditions = parse_conditions(where or ())
        hits = deployment.search.passages(user_of(user, deployment.settings), query, limit, conditions)
        if as_json:
            print_json([asdict(hit) for hit in hits])
        elif hits:
            for number, hit in enumerate(hits, start=1):
                _print(number, hit)
        else:
            messages.print(NOTHING_FOUND)


def _print(number: int, hit: Hit) -> None:
    page = f", page {hit.page}" if hit.page else ""
    place = f" | {' > '.join(hit.heading_path)}" if hit.heading_path else ""
    out.print(Text(f"{number}. {hit.filename}{page}", style="bold"), Text(place, style="dim"), sep="")
    out.print(Text(hit.text), Text(f"document {hit.document_id}\n", style="dim"), sep="\n")
