"""The documents that people name on the command line, or ask for by the list."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import typer

from ingest_assets.domain.documents.document import DocumentId
from ingest_assets.domain.documents.listing import ListedDocument, Listing
from ingest_assets.domain.documents.naming import DocumentName, NamedDocument
from ingest_assets.domain.errors import PermanentError
from ingest_assets.pipeline.ports.reading import Documents

AT_ONCE = 1000
"""How many documents are listed at once, and changed in one transaction."""
CHOICES = 20
"""The most documents among which somebody is asked to choose."""


def documents_of(names: Sequence[str], seen: Documents) -> list[DocumentId]:
    """Return the documents that are named: by id, its beginning, file name or path, among those that may be seen.

    An id is believed, since the history of a deleted document is told too. On a terminal, a person chooses where a
    name means several documents.

    Raises:
        PermanentError: unknown_document, ambiguous_name.
    """
    return list(dict.fromkeys(document_of(name, seen) for name in names))


def known_documents_of(names: Sequence[str], seen: Documents) -> list[DocumentId]:
    """Return the documents that are named, none of which may have been deleted; see `documents_of`.

    Raises:
        PermanentError: unknown_document, ambiguous_name.
    """
    wanted = documents_of(names, seen)
    if any(seen.find(document_id) is None for document_id in wanted):
        raise PermanentError("unknown_document")
    return wanted


def every_listed(listing: Listing, seen: Documents) -> Iterator[DocumentId]:
    """Give all documents that a list would show, however many pages it has."""
    page = replace(listing, limit=AT_ONCE)
    found = seen.listed(page)
    while found:
        yield from (each.document_id for each in found)
        found = behind(found, page, seen)


def behind(found: Sequence[ListedDocument], page: Listing, documents: Documents) -> list[ListedDocument]:
    """Return the page behind what is left of another one, whose documents may be deleted meanwhile."""
    for last in reversed(found):
        try:
            return documents.listed(replace(page, after=last.document_id))
        except PermanentError as error:
            if error.code != "unknown_document":
                raise
    return documents.listed(page)


def in_batches(
    wanted: Sequence[DocumentId], change: Callable[[Sequence[DocumentId]], list[DocumentId]]
) -> list[DocumentId]:
    """Change documents, not too many in one transaction, and return those that were changed."""
    batches = (wanted[start : start + AT_ONCE] for start in range(0, len(wanted), AT_ONCE))
    return [document_id for batch in batches for document_id in change(batch)]


def document_of(name: str, seen: Documents) -> DocumentId:
    """Return the one document that is named; see `documents_of`."""
    try:
        return DocumentId(UUID(name))
    except ValueError:
        pass
    found = seen.named(DocumentName(name, _absolute(name)), CHOICES)
    if not found:
        raise PermanentError("unknown_document")
    if len(found) == 1:
        return found[0].document_id
    if sys.stdin.isatty() and sys.stderr.isatty():
        return _chosen(name, found)
    for each in found:  # errors hold no file names
        sys.stderr.write(f"{each.document_id}\n")
    raise PermanentError("ambiguous_name", found=len(found))


def _absolute(name: str) -> str:
    try:
        return str(Path(name).expanduser().absolute())
    except RuntimeError:  # it begins with a tilde, and no user is called what follows
        return str(Path(name).absolute())


def _chosen(name: str, found: Sequence[NamedDocument]) -> DocumentId:
    """Ask which document is meant. What people see holds file names; errors, which may be logged, do not."""
    from ingest_assets.cli.console import messages

    messages.print(f"Several documents are called {name}:")
    for number, each in enumerate(found, start=1):
        messages.print(f"{number:>3}  {each.document_id}  {each.source or each.filename}")
    number = 0
    while not 1 <= number <= len(found):
        number = typer.prompt(f"Which one (1 to {len(found)})", type=int, err=True)
    return found[number - 1].document_id
