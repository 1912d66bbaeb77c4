import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated, Any

import typer

from ingest_assets.cli.arguments import user_of
from ingest_assets.cli.console import messages
from ingest_assets.cli.named_documents import document_of
from ingest_assets.cli.output import deployed
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import DocumentId, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.posix.files import replacing


def export(
    user: Annotated[
        str | None, typer.Option("--user", metavar="UUID", help="Export all of this user's documents.")
    ] = None,
    document: Annotated[str | None, typer.Option("--document", metavar="ID", help="Export one document.")] = None,
    audit: Annotated[
        bool, typer.Option("--audit", help="Export only the history, in ids, for a log on another host; of all users.")
    ] = False,
    after: Annotated[
        int | None,
        typer.Option("--after", metavar="EVENT_ID", min=0, help="With --audit: only the events behind this one."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write to a file that only its owner can read.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print errors as JSON.")] = False,
) -> None:
    """Export the history and an index of what is stored, for a user or a document, as JSON Lines."""
    with deployed(as_json=as_json) as deployment:
        if after is not None and not audit:
            raise PermanentError("wrong_usage", what="--after is for --audit.")
        everybody = audit and user is None and document is None
        owner, document_id = (None, None) if everybody else _scope(user, document, deployment)
        if audit:
            records = deployment.export.events(after or 0, owner, document_id)
        else:
            assert owner is not None  # noqa: S101
            records = deployment.export.records(owner, document_id)
        with _sink(output) as lines:
            count = _write(records, lines)
        messages.print(f"Exported {count} records.")


def _scope(user: str | None, document: str | None, deployment: Deployment) -> tuple[UserId, DocumentId | None]:
    """Return the user and the document that are named.

    Raises:
        PermanentError: wrong_usage, invalid_id, unknown_document, which another user's document is too.
    """
    if user is None and document is None:
        raise PermanentError("wrong_usage", what="Give --user, --document, or both; or --audit.")
    wanted = None if user is None else user_of(user, deployment.settings)
    if document is None:
        assert wanted is not None  # noqa: S101
        return wanted, None
    document_id = document_of(document, deployment.documents)
    owner = deployment.deletions.owner(document_id)
    if owner is None or wanted not in (None, owner):
        raise PermanentError("unknown_document")
    return owner, document_id


def _write(records: Iterable[dict[str, Any]], lines: IO[str]) -> int:
    count = 0
    for record in records:
        lines.write(json.dumps(record, default=_as_text) + "\n")
        count += 1
    return count


def _as_text(value: object) -> str:
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


@contextmanager
def _sink(output: Path | None) -> Iterator[IO[str]]:
    """Yield what to write to. A file appears in its place once it is complete.

    Raises:
        PermanentError: wrong_usage, if the file cannot be written.
    """
    if output is None:
        yield sys.stdout
        return
    with ExitStack() as ending:
        try:
            lines = ending.enter_context(ending.enter_context(replacing(output)).open("w"))
        except OSError:
            raise PermanentError("wrong_usage", what="The output file cannot be written.") from None
        yield lines
