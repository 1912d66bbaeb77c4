"""Nothing that a person copies is broken over lines, at 80 columns."""

import os
import pty
import re
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets_tests.documents import ingest as ingest_document
from ingest_assets_tests.sample_files import scanned_pdf
from ingest_assets_tests.system.ingest import INGEST, TIMEOUT, Ingest

COLUMNS = 80
NAME = "a file name that says at some length what is in the file of the claim.pdf"


def on_terminal(ingest: Ingest, *arguments: str) -> list[str]:
    """What a terminal of 80 columns gets, line by line."""
    controller, terminal = pty.openpty()
    environment = ingest.environment | {"COLUMNS": str(COLUMNS), "NO_COLOR": "1", "TERM": "xterm"}
    process = subprocess.Popen(
        [INGEST, *arguments], env=environment, stdin=terminal, stdout=terminal, stderr=terminal, close_fds=True
    )
    os.close(terminal)
    shown = b""
    while True:
        try:
            shown += os.read(controller, 65536)
        except OSError:  # its last user has gone
            break
    os.close(controller)
    process.wait(TIMEOUT)
    return shown.decode().splitlines()


@pytest.fixture
def ingest(database_url: str, tmp_path: Path) -> Ingest:
    return Ingest(tmp_path, (("INGEST_DATABASE_URL", database_url),))


@pytest.fixture
def failed(deployment: Deployment, user: UserId) -> UUID:
    """A document that has become a dead letter."""
    return ingest_document(deployment, user, scanned_pdf(), NAME)


@pytest.mark.parametrize("arguments", [("list",), ("status", "--failed"), ("explain", NAME), ("status", NAME)])
def test_ids_codes_names_and_commands_stay_whole(ingest: Ingest, failed: UUID, arguments: tuple[str, ...]) -> None:
    lines = on_terminal(ingest, *arguments)
    assert any(str(failed) in line for line in lines)
    assert any("needs_ocr" in line for line in lines)
    assert any(NAME in line for line in lines)
    beyond = [line[COLUMNS - 36 :] for line in lines if len(line) > COLUMNS and not line.startswith("ingest ")]
    assert [part for part in beyond if re.search(r"[0-9a-f]{8}-|\bingest ", part)] == []
