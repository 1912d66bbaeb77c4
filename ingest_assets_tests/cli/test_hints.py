"""Every command that a person is shown exists, with the options that it is shown with, and stands on one line."""

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import click
import pytest

from ingest_assets.cli import console, hints
from ingest_assets.cli.app import SUMMARIES, load_command
from ingest_assets.cli.causes import print_cause
from ingest_assets.cli.commands.status import describe_status
from ingest_assets.cli.doctor.findings import FINDING_REMEDIES
from ingest_assets.cli.explanation import explain_document
from ingest_assets.cli.hints import HINTS, filled_in, hint_of
from ingest_assets.cli.results import finished
from ingest_assets.domain.documents.attachments import ListedAttachment
from ingest_assets.domain.documents.document import DocumentId, JobId
from ingest_assets.domain.errors import CATALOGUE
from ingest_assets.domain.errors.remedies import REMEDIES, command_for_cause, command_for_document
from ingest_assets.domain.integrity import INVARIANTS
from ingest_assets.domain.queue.jobs import Event, FailedCause, FailedDocument, JobStatus
from ingest_assets.domain.queue.lanes import Lane
from ingest_assets.domain.queue.stages import Stage, State

ROOT = Path(__file__).parents[2]
SENTENCES = (
    dict(HINTS)
    | dict(FINDING_REMEDIES)
    | {name: getattr(hints, name) for name in ("NOBODY_WORKS", "NOTHING_FOUND")}
    | {f"FAILED_BEFORE {remedy}": hint for remedy, hint in hints.FAILED_BEFORE.items()}
)
QUOTED = re.compile(r"`([^`]+)`")
OPTION = re.compile(r"--[a-z][a-z-]*")
PAGES = ("SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md")
"""The others are in `docs/test_blocks.py`."""


def parses(command: str) -> bool:
    """Whether the command line is one that `ingest` accepts."""
    _, name, *arguments = shlex.split(command, comments=True)
    load_command(name).make_context(name, [each for each in arguments if each != "…"])
    return True


def options() -> set[str]:
    """Every option of every command."""
    commands = [load_command(name) for name in SUMMARIES]
    return {"--help", "-h"} | {option for command in commands for each in command.params for option in each.opts}


@pytest.mark.parametrize("code", SENTENCES)
def test_a_hint_names_commands_and_options_that_exist(code: str) -> None:
    quoted = QUOTED.findall(SENTENCES[code])
    assert quoted or "ingest" not in SENTENCES[code]
    for each in quoted:
        if each.startswith("ingest "):
            assert parses(each)
        else:
            assert each.split()[0] in options()


def test_one_command_helps_with_each_thing_that_doctor_may_find() -> None:
    assert FINDING_REMEDIES.keys() == {invariant.name for invariant in INVARIANTS}
    assert all(len(QUOTED.findall(remedy)) == 1 for remedy in FINDING_REMEDIES.values())


@pytest.mark.parametrize("code", HINTS)
def test_a_hint_of_the_command_line_is_for_an_error_of_the_catalogue(code: str) -> None:
    assert code in CATALOGUE


@pytest.mark.parametrize("code", CATALOGUE)
def test_the_catalogue_names_no_command_and_no_route(code: str) -> None:
    said = CATALOGUE[code].message + CATALOGUE[code].hint
    assert not re.search(r"\bingest [a-z]|--[a-z]|openapi|/v1|Bearer|\?[a-z]+=", said)


def test_a_hint_names_the_document_where_it_is_known() -> None:
    document_id = uuid4()
    hint = filled_in(hint_of("crashed_worker", "kept in the database"), document_id)
    assert hint is not None
    assert f"ingest retry {document_id}" in hint
    assert hint_of("corrupt", "kept in the database") == "kept in the database"


def shown_commands() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        text = (ROOT / page).read_text()
        blocks = re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        lines = [line.strip() for block in blocks for line in block.splitlines()]
        found = [line.removeprefix(".venv/bin/") for line in lines if re.match(r"(\.venv/bin/)?ingest ", line)]
        found += [each for each in QUOTED.findall(text) if re.fullmatch(r"ingest [a-z][a-z -]*", each)]
        yield from ((page, command) for command in found)


@pytest.mark.parametrize(("page", "command"), sorted(set(shown_commands())))
def test_a_command_that_a_page_shows_exists(page: str, command: str) -> None:
    _, name, *arguments = shlex.split(command, comments=True)
    assert name in SUMMARIES, page
    assert {each for each in arguments if each.startswith("--")} <= options(), page


@pytest.mark.parametrize("name", SUMMARIES)
def test_no_command_wraps_in_the_middle_of_a_help_page(name: str) -> None:
    command = load_command(name)
    page = command.get_help(click.Context(command, info_name=f"ingest {name}", terminal_width=80))
    assert not re.search(r"ingest\n|`[^`\n]*\n[^`]*`", page)


def test_no_command_wraps_in_the_middle_of_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = console.Terminal(width=40)
    narrow.file = StringIO()
    monkeypatch.setattr(console, "out", narrow)
    monkeypatch.setattr(console, "messages", narrow)
    failed = FailedDocument(
        DocumentId(uuid4()), "policy.pdf", Stage.PARSING, State.DEADLETTER, "crashed_worker", "It crashed.", "Kept."
    )
    since = datetime(2026, 1, 1, tzinfo=UTC)
    cause = FailedCause("crashed_worker", 1, 0, (Stage.PARSING,), "It crashed.", "Kept.", since, None)
    print_cause(cause, f" --user {uuid4()}", [failed])
    assert re.search(
        r"^ *ingest retry --code crashed_worker --user [0-9a-f-]{36}$", narrow.file.getvalue(), re.MULTILINE
    )


@pytest.mark.parametrize("code", REMEDIES)
def test_a_remedy_is_a_command_that_exists(code: str) -> None:
    assert parses(command_for_document(code, uuid4()))
    assert parses(command_for_cause(code, all_wait=False))
    assert parses(command_for_cause(code, all_wait=True))


KEPT = JobStatus(
    document_id=DocumentId(uuid4()),
    job_id=JobId(uuid4()),
    stage=Stage.PARSING,
    state=State.DEADLETTER,
    version=1,
    live_version=None,
    attempts=0,
    crashes=3,
    claimed_by=None,
    lease_expires_at=None,
    error_code="crashed_worker",
    error_message="Its worker crashed.",
    error_hint="A hint that names no command.",
    next_retry_at=None,
    finished_at=None,
    lane=Lane.PARSE,
    warnings={},
    chunks=0,
)
COMMAND = f"`ingest retry {KEPT.document_id}`"


class OneDocument:
    """Documents of which one failed, with the hint that the database has kept."""

    def status(self, document_id: DocumentId) -> JobStatus:
        del document_id
        return KEPT

    def find(self, document_id: DocumentId) -> None:
        del document_id

    def history(self, document_id: DocumentId) -> list[Event]:
        del document_id
        return []

    def sources(self, document_id: DocumentId) -> list[str]:
        del document_id
        return []

    def attachments(self, document_id: DocumentId) -> list[ListedAttachment]:
        del document_id
        return []


def test_an_error_that_the_database_has_kept_gets_the_hint_of_the_command_line() -> None:
    documents: Any = OneDocument()
    assert COMMAND in describe_status(KEPT, "a.md")["hint"]
    cause = explain_document(KEPT.document_id, documents=documents).cause
    assert cause is not None
    assert COMMAND in cause
    [ended] = finished([{"path": "policy.pdf", "document_id": str(KEPT.document_id)}], documents)
    assert ended["hint"] == HINTS["crashed_worker"]
