import sys
from pathlib import Path
from typing import Annotated

import typer

from ingest_assets.cli.arguments import Json
from ingest_assets.cli.console import messages
from ingest_assets.cli.output import deployed, print_json
from ingest_assets.domain.errors import PermanentError
from ingest_assets.posix.files import replacing


def report(
    output: Annotated[
        Path | None, typer.Option("--output", help="Write to a file that only its owner can read.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the dashboards (operations, business, debugging) as one page of HTML, or as JSON."""
    from dataclasses import asdict

    from ingest_assets.dashboards.page import page_of

    with deployed(as_json=as_json) as deployment:
        at, dashboards = deployment.dashboards.make()
        if output is not None:
            _write(output, page_of(at, dashboards))
            messages.print(f"Written to {output}.")
        if as_json:
            print_json({"at": at.isoformat(), "dashboards": [asdict(each) for each in dashboards]})
        elif output is None:
            sys.stdout.write(page_of(at, dashboards))


def _write(output: Path, page: str) -> None:
    """Write the page; it appears in its place once it is complete.

    Raises:
        PermanentError: wrong_usage, if the file cannot be written.
    """
    try:
        with replacing(output) as unfinished:
            unfinished.write_text(page, "utf-8")
    except OSError:
        raise PermanentError("wrong_usage", what="The output file cannot be written.") from None
