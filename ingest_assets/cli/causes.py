"""Failures grouped by cause, as `ingest status --failed` shows them."""

from datetime import UTC, datetime
from typing import Any

from ingest_assets.cli.output import print_json
from ingest_assets.domain.errors.remedies import advice_for, command_for_cause, does_waiting_help
from ingest_assets.domain.queue.jobs import FailedCause, FailedDocument
from ingest_assets.pipeline.ports.reading import Documents

LISTED = 20
"""How many documents of a cause the JSON lists."""
SHOWN = 5
"""How many documents of a cause people are shown."""


def show_causes(seen: Documents, user: str | None, *, as_json: bool) -> None:
    """Print each cause with how many documents it has, what to do, and the command for all of them."""
    causes = seen.failed_causes()
    option = "" if user is None else f" --user {user}"
    if as_json:
        print_json([_describe(cause, option, seen.failed(cause.code, LISTED)) for cause in causes])
        return
    from ingest_assets.cli.console import out

    if not causes:
        out.print("No document has failed.")
    for cause in causes:
        print_cause(cause, option, seen.failed(cause.code, SHOWN))


def print_cause(cause: FailedCause, option: str, documents: list[FailedDocument]) -> None:
    """Print a cause. The command stands on a line of its own, so that it does not wrap."""
    from ingest_assets.cli.console import out

    out.print(f"{cause.code}: {_counted(cause)}, since {_time(cause.since)}, at {_stages(cause)}")
    out.print(f"  {cause.message} {cause.hint}")
    out.print(f"  {_advice(cause)}")
    out.print(f"    {_command(cause)}{option}")
    for each in documents:
        out.print(f"  {each.document_id}  {each.filename}")
    if cause.count > len(documents):
        out.print(f"  and {cause.count - len(documents)} more")


def _describe(cause: FailedCause, option: str, documents: list[FailedDocument]) -> dict[str, Any]:
    return {
        "code": cause.code,
        "count": cause.count,
        "waiting": cause.waiting,
        "stages": [stage.value for stage in cause.stages],
        "message": cause.message,
        "hint": f"{cause.hint} {_advice(cause)}",
        "fix": _command(cause) + option,
        "oldest": cause.since.isoformat(),
        "documents": [str(each.document_id) for each in documents],
    }


def _command(cause: FailedCause) -> str:
    return command_for_cause(cause.code, all_wait=not cause.dead_letters)


def _advice(cause: FailedCause) -> str:
    """Return whether waiting helps: it helps those that wait, and none of the dead letters."""
    if cause.next_retry_at is None:
        return advice_for(cause.code)
    again = f"tried again from {_time(cause.next_retry_at)} on."
    if not cause.dead_letters:
        return f"{does_waiting_help(cause.code)}: they are {again}"
    return f"Those that wait are {again} As to the dead letters: {advice_for(cause.code)}"


def _counted(cause: FailedCause) -> str:
    dead = "dead letter" if cause.dead_letters == 1 else "dead letters"
    counts = ((cause.dead_letters, dead), (cause.waiting, "waiting for a retry"))
    return ", ".join(f"{count} {name}" for count, name in counts if count)


def _stages(cause: FailedCause) -> str:
    return ", ".join(stage.value for stage in cause.stages)


def _time(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
