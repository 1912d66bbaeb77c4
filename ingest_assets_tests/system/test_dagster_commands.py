"""What a Dagster user types first in a checkout works, with nothing set."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest_assets.cli.ports import next_free
from ingest_assets_tests.interrupts import HEEDING
from ingest_assets_tests.system.ingest import TIMEOUT, Ingest

PROGRAMS = Path(sys.executable).parent
CHECKOUT = Path(__file__).parents[2]
DOCUMENTS = CHECKOUT / "examples" / "documents"

pytestmark = pytest.mark.timeout(600)


@pytest.fixture
def ingest(tmp_path: Path) -> Ingest:
    return Ingest(tmp_path, (("DAGSTER_DISABLE_TELEMETRY", "yes"),))


def run(ingest: Ingest, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAMS / command[0], *command[1:]],
        cwd=CHECKOUT,
        env=ingest.environment,
        capture_output=True,
        text=True,
        check=False,
    )


@contextmanager
def running(ingest: Ingest, command: Sequence[str], log: Path) -> Iterator[None]:
    """The command until the block ends, then Ctrl-C."""
    with log.open("w") as file:
        process = subprocess.Popen(
            [*HEEDING, PROGRAMS / command[0], *command[1:]],
            cwd=CHECKOUT,
            env=ingest.environment,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        try:
            yield
        except BaseException as error:
            error.add_note(log.read_text()[-3000:])
            raise
        finally:
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
            process.wait(TIMEOUT)


@pytest.mark.parametrize(
    "command", [("dagster", "definitions", "validate"), ("dg", "check", "defs"), ("dg", "list", "defs", "--json")]
)
def test_the_definitions_load(ingest: Ingest, command: tuple[str, ...]) -> None:
    ran = run(ingest, *command)
    assert ran.returncode == 0, ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("command", [("dagster", "dev"), ("dg", "dev")])
def test_documents_become_searchable(ingest: Ingest, tmp_path: Path, command: tuple[str, ...]) -> None:
    log = tmp_path / "log"
    with running(ingest, [*command, "--port", str(next_free("127.0.0.1", 0))], log):
        ingest("migrate")
        submitted = ingest("submit", DOCUMENTS, "--wait", "--json")
        assert submitted.code == 0, submitted.stderr
        status = ingest("status", "--json").json
    assert status["searchable"] == status["documents"] == len(list(DOCUMENTS.iterdir()))
    assert "Traceback" not in log.read_text()
