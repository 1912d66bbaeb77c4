"""docs/reference/errors.md: the catalogue of errors, with what brings a document back."""

import re
from collections.abc import Iterator

from documentation.pages import page
from ingest_assets.cli.hints import hint_of
from ingest_assets.domain.errors import (
    CATALOGUE,
    Problem,
    deployment,
    embedding,
    files,
    parsing,
    providers,
    queue,
    requests,
)
from ingest_assets.domain.errors.remedies import REMEDIES, Remedy, command_for_cause, waiting_helps

SUBJECTS = {
    "Files": files,
    "Parsing": parsing,
    "Embedding": embedding,
    "Providers": providers,
    "The queue": queue,
    "Commands and requests": requests,
    "The deployment": deployment,
}
KINDS = {
    "transient": "It may pass: the document is retried{times} and is then a dead letter.",
    "permanent": "It does not pass by itself: the document is a dead letter at once.",
    "resource": "Something is not available: the document waits, and no attempt is counted.",
    "outage": "Something that all documents need is away: they wait, and workers claim no more.",
}
INTRODUCTION = """Each error has a stable code, which commands, HTTP, Dagster's page, the history and the metrics
share. `…` stands for a number or a short name. Where a document can end with the code, the command is the one that
brings all such documents back; `ingest explain DOCUMENT` has it for one."""


def errors_page() -> str:
    """Return the page."""
    body = [part for title, module in SUBJECTS.items() for part in _subject(title, module.PROBLEMS)]
    return page("Error codes", INTRODUCTION, body)


def _subject(title: str, problems: dict[str, Problem]) -> Iterator[str]:
    yield f"## {title}"
    for name in problems:
        yield f"### `{name}`"
        yield from _problem(name, CATALOGUE[name])


def _problem(name: str, problem: Problem) -> Iterator[str]:
    yield _shown(problem.message)
    if hint := hint_of(name, problem.hint):
        yield f"**What to do:** {_shown(hint)}"
    if name not in REMEDIES:
        yield "It answers a command or a request, or stops a process: no document ends with it."
        return
    waits = problem.error.kind in ("resource", "outage")
    if waits and not waiting_helps(name):
        yield f"{KINDS[problem.error.kind]} Somebody has to mend the cause; then they go on by themselves."
    else:
        yield KINDS[problem.error.kind].format(times=_times(problem.retries))
    waiting = REMEDIES[name] is Remedy.WAIT
    purpose = "To have them tried at once" if waiting else "When the cause is mended"
    yield f"**Command:** {purpose}: `{command_for_cause(name, all_wait=waiting)}`"


def _times(retries: int | None) -> str:
    """Return how often a document is retried, for a sentence. The queue's policy decides unless the problem does."""
    if retries is None:
        return ", usually three times,"
    return {1: " once", 2: " twice"}.get(retries, f" {retries} times")


def _shown(text: str) -> str:
    return re.sub(r"\{\w+\}", "…", text)
