"""What documents and file names say is shown, and does nothing to the terminal that shows it."""

import re
from io import StringIO
from pathlib import Path

import pytest
from rich.text import Text

from ingest_assets.cli import console
from ingest_assets.cli.console import Terminal, print_table
from ingest_assets_tests.cli.test_commands import USER
from ingest_assets_tests.documents import policy_text
from ingest_assets_tests.system.ingest import Ingest

HOSTILE = "a\x1b]0;title\x1b\\b\x1b[2Jc\x9b31md\u202ee\rf [red]g[/red] :boom:"
SHOWN = "abcdef [red]g[/red] :boom:"
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    file = StringIO()
    monkeypatch.setattr(console.out, "_file", file)  # `file` would be put back as what it is at this moment
    return file


@pytest.mark.parametrize("printed", [HOSTILE, Text(HOSTILE, style="bold")], ids=["str", "Text"])
def test_a_line_shows_its_text_and_nothing_happens(shown: StringIO, printed: str | Text) -> None:
    console.out.print(printed)
    assert shown.getvalue() == SHOWN + "\n"


def test_a_table_shows_one_line_per_row(shown: StringIO) -> None:
    print_table(("file", "code"), [(f"{HOSTILE}\nforged row", "corrupt")])
    heading, row = shown.getvalue().splitlines()
    assert row.startswith(SHOWN + " forged row")
    assert row.endswith("corrupt")
    assert heading.startswith("file")


def test_its_own_colours_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    terminal = Terminal()
    terminal.file = StringIO()
    terminal.print(Text(HOSTILE, style="bold"))
    assert terminal.file.getvalue() == f"\x1b[1m{SHOWN}\x1b[0m\n"


@pytest.fixture
def ingest(database_url: str, tmp_path: Path) -> Ingest:
    home = tmp_path / "home"
    home.mkdir()
    return Ingest(home, (("INGEST_DATABASE_URL", database_url), ("INGEST_USER_ID", USER), ("NO_COLOR", "1")))


def test_no_command_passes_a_control_sequence_on(ingest: Ingest, tmp_path: Path) -> None:
    folder = tmp_path / "in\x1b[2Jbox"
    folder.mkdir()
    (folder / "\x1b]0;title\x07walrus\x1b[31m.md").write_text(policy_text("Walrus \x1b[5m\x9d0;y\x9c"))
    (folder / "\x1b[31mbad.pdf").write_bytes(b"%PDF-1.4 truncated")
    (folder / "\x1b[31mempty.md").touch()
    said = [ingest("submit", folder), ingest("submit", folder / "\x1b[8mnowhere")]
    accepted = ingest("submit", folder, "--json").json
    ids = [each["document_id"] for each in accepted if each["document_id"]]
    assert any("\x1b" in each["path"] for each in accepted), "as JSON, names are told as they are"
    ingest("drain")
    said += [ingest(*arguments) for arguments in (("status",), ("status", "--failed"), ("search", "walrus\x1b[31m"))]
    said += [ingest(command, each) for command in ("status", "explain") for each in ids]
    said += [ingest("status", "\x1b[31m"), ingest("\x1b[31m"), ingest("submit", "--\x1b]0;title\x07")]
    for ran in said:
        assert not ACTS.search(ran.stdout + ran.stderr), ran
    assert "walrus" in said[4].stdout.lower()
