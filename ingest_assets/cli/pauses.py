"""What is paused, as people say it."""

from typing import Annotated, Any

import typer

from ingest_assets.cli.arguments import parse_id
from ingest_assets.cli.output import print_json
from ingest_assets.composition import PROVIDERS, Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.queue.pauses import Pause, Paused
from ingest_assets.domain.spending.providers import ProviderName

PausedUser = Annotated[str | None, typer.Option("--user", metavar="UUID", help="Only this user's documents.")]
CalledProvider = Annotated[
    str | None,
    typer.Option("--provider", metavar="NAME", help="Only calls of this provider: openai, llamaparse or llamacloud."),
]


def paused_of(user: str | None, provider: str | None) -> Paused:
    """Return what the options name: everything, if there are none.

    Raises:
        PermanentError: wrong_usage, invalid_id.
    """
    if user is not None and provider is not None:
        raise PermanentError("wrong_usage", what="Give --user or --provider, not both.")
    names = sorted(each.name for each in PROVIDERS)
    if provider is not None and provider not in names:
        raise PermanentError("wrong_usage", what=f"There is no such provider; there are {' and '.join(names)}.")
    return Paused(
        None if user is None else UserId(parse_id(user, "The user")),
        None if provider is None else ProviderName(provider),
    )


def sentence_of(pause: Pause) -> str:
    """Return what is paused and since when, and the command that ends it."""
    option = _option(pause.paused)
    since = f"{pause.began_at.astimezone():%Y-%m-%d %H:%M}"
    return f"{_subject(pause.paused)} paused, since {since}. To resume: ingest resume{option}"


def show(deployment: Deployment, *, as_json: bool) -> None:
    """Print all pauses."""
    pauses = deployment.pauses.all()
    if as_json:
        print_json(describe(pauses))
        return
    from ingest_assets.cli.console import out

    for pause in pauses:
        out.print(sentence_of(pause))
    if not pauses:
        out.print("Nothing is paused.")


def describe(pauses: list[Pause]) -> list[dict[str, Any]]:
    """Return pauses as JSON."""
    return [
        {
            "user_id": pause.paused.user_id and str(pause.paused.user_id),
            "provider": pause.paused.provider,
            "since": pause.began_at.isoformat(),
            "fix": f"ingest resume{_option(pause.paused)}",
        }
        for pause in pauses
    ]


def _subject(paused: Paused) -> str:
    if paused.user_id is not None:
        return f"The documents of user {paused.user_id} are"
    return "Everything is" if paused.provider is None else f"Calls of {paused.provider} are"


def _option(paused: Paused) -> str:
    if paused.user_id is not None:
        return f" --user {paused.user_id}"
    return "" if paused.provider is None else f" --provider {paused.provider}"
