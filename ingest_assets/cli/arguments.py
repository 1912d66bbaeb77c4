"""Arguments that several commands share."""

from typing import Annotated
from uuid import UUID, uuid4

import typer

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import HIGHEST_PRIORITY, LOWEST_PRIORITY, UserId
from ingest_assets.domain.errors import CATALOGUE, PermanentError
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.pipeline.ports.reading import Documents
from ingest_assets.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]
User = Annotated[
    str | None, typer.Option("--user", metavar="UUID", help="The user who owns the documents. [env: INGEST_USER_ID]")
]

Priority = Annotated[
    int,
    typer.Option(
        "--priority",
        min=LOWEST_PRIORITY,
        max=HIGHEST_PRIORITY,
        help="Documents of the same user with a higher priority go first.",
    ),
]
FollowLinks = Annotated[bool, typer.Option("--follow-links", help="Also follow links that lead out of the folders.")]

DOCUMENT = typer.Argument(metavar="DOCUMENT", help="An id, the beginning of one, a file name or a path.")
DOCUMENTS = typer.Argument(metavar="DOCUMENT", help="Ids, the beginnings of ids, file names or paths.")
OneDocument = Annotated[str, DOCUMENT]

Where = Annotated[
    list[str] | None,
    typer.Option(
        "--where",
        metavar="KEY=VALUE",
        help="Only documents whose metadata meets this, such as line_of_business=motor or date>=2024-01-01; "
        "may be given often, and all of them count.",
    ),
]

Viewer = Annotated[
    str | None,
    typer.Option("--user", metavar="UUID", help="Only this user's documents; default: all. [env: INGEST_USER_ID]"),
]


def seen_documents(user: str | None, deployment: Deployment) -> Documents:
    """Return the documents of the user who is named, or everybody's: an operator may see all of them.

    Raises:
        PermanentError: invalid_id.
    """
    viewer = viewer_of(user, deployment.settings)
    return deployment.documents if viewer is None else deployment.documents_of(viewer)


def viewer_of(user: str | None, settings: Settings) -> UserId | None:
    """Return the user who is named, or None.

    Raises:
        PermanentError: invalid_id.
    """
    named = settings.user_id if user is None else parse_id(user, "The user")
    return None if named is None else UserId(named)


def user_of(user: str | None, settings: Settings) -> UserId:
    """Return the user who is named, or the default user.

    Raises:
        PermanentError: invalid_id, user_missing.
    """
    if user is not None:
        return UserId(parse_id(user, "The user"))
    if settings.default_user is None:
        raise PermanentError("user_missing")
    return UserId(settings.default_user)


def actor_of(command: str) -> Actor:
    """Return the actor for the history, with a correlation id for this call of the command."""
    return Actor(f"ingest {command}", str(uuid4()))


def check_code(code: str | None) -> None:
    """Refuse a code that does not exist, which must not look like one with which nothing failed.

    Raises:
        PermanentError: wrong_usage.
    """
    if code is not None and code not in CATALOGUE:
        raise PermanentError("wrong_usage", what="There is no such code; `ingest status --failed` shows those in use.")


def parse_id(value: str, name: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise PermanentError("invalid_id", name=name) from None
