"""A Dagster with its own storage and the default launcher, set up with what docs/existing-dagster.md shows."""

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest

from ingest_assets.cli.ports import next_free
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.settings import sqlalchemy_url
from ingest_assets_tests.documents import policy_text, submit
from ingest_assets_tests.orchestration.runs import run_partition
from ingest_assets_tests.system.ingest import TIMEOUT, Ingest, Ui
from ingest_assets_tests.system.test_deployment import partitions
from ingest_assets_tests.waiting import until

pytestmark = pytest.mark.timeout(600)

PROGRAMS = Path(sys.executable).parent
PAGE = Path(__file__).parents[2] / "docs" / "existing-dagster.md"
DOCUMENTS = 3


@dataclass(frozen=True)
class Shown:
    """What the page shows, with this machine's places instead of the example's."""

    places: dict[str, str]

    def blocks(self, language: str) -> list[str]:
        text = PAGE.read_text()
        for example, place in self.places.items():
            assert example in text, f"the page does not show {example}"
            text = text.replace(example, place)
        return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)

    @property
    def commands(self) -> list[list[str]]:
        return [shlex.split(line) for block in self.blocks("sh") for line in block.splitlines()]

    @property
    def variables(self) -> list[tuple[str, str]]:
        exported = [words[1].partition("=") for words in self.commands if words[0] == "export"]
        return [(name, value) for name, _, value in exported]

    @property
    def programs(self) -> list[list[str]]:
        """The commands that are to be run, in their order."""
        return [words for words in self.commands if words[0] != "export"]


@pytest.fixture
def shown(tmp_path: Path, database_url: str) -> Shown:
    for name in ("dagster", "ingest", "documents"):
        (tmp_path / name).mkdir()
    return Shown(
        {
            "postgresql://me@db.example/ingest?sslmode=verify-full&sslrootcert=system": database_url,
            "/srv/": f"{tmp_path}/",
            "--port 3000": f"--port {next_free('127.0.0.1', 0)}",
        }
    )


@contextmanager
def running(command: list[str], environment: dict[str, str], folder: Path) -> Iterator[Path]:
    """A service of the deployment until the block ends, and the file that has what it said."""
    log = folder / f"{command[0]}.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [PROGRAMS / command[0], *command[1:]],
            cwd=folder,
            env=environment,
            stdout=file,
            stderr=file,
        )
        try:
            yield log
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(TIMEOUT)


def test_documents_become_searchable_in_a_dagster_on_sqlite(shown: Shown, tmp_path: Path) -> None:
    workspace, dagster_yaml, *_ = shown.blocks("yaml")
    (tmp_path / "workspace.yaml").write_text(workspace)
    (tmp_path / "dagster" / "dagster.yaml").write_text(dagster_yaml)
    for number in range(DOCUMENTS):
        (tmp_path / "documents" / f"{number}.md").write_text(policy_text(f"Emergency services {number}", 3))
    ingest = Ingest(tmp_path, (("DAGSTER_DISABLE_TELEMETRY", "yes"), *shown.variables))
    migrate, create, daemon, webserver, submission, search = shown.programs
    assert ingest(*migrate[1:]).code == 0
    subprocess.run([PROGRAMS / create[0], *create[1:]], env=ingest.environment, check=True, capture_output=True)
    port = webserver[webserver.index("--port") + 1]
    with (
        running(daemon, ingest.environment, tmp_path) as said,
        running(webserver, ingest.environment, tmp_path),
    ):
        submitted = ingest(*submission[1:], "--json")
        assert submitted.code == 0, (submitted.stderr, said.read_text()[-3000:])
        assert [each["state"] for each in submitted.json] == ["done"] * DOCUMENTS
        assert len(ingest(*search[1:], "--json").json) >= DOCUMENTS
        until(
            lambda: (
                {each["document_id"] for each in submitted.json}
                <= partitions(Ui(f"http://127.0.0.1:{port}"), "materialized")
            )
        )
    assert "Traceback" not in said.read_text()


def test_a_dagster_on_postgres_keeps_what_a_run_reports(
    shown: Shown,
    deployment: Deployment,
    empty_database_url: str,
    user: UserId,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, on_sqlite, storage = shown.blocks("yaml")
    rest = on_sqlite[on_sqlite.index("run_retries:") :]
    (tmp_path / "dagster" / "dagster.yaml").write_text(f"{storage}\n{rest}")
    monkeypatch.setenv("DAGSTER_DATABASE_URL", sqlalchemy_url(empty_database_url))
    document_id = submit(deployment, user, policy_text()).document_id
    with dg.DagsterInstance.from_config(str(tmp_path / "dagster")) as instance:
        assert run_partition(deployment, instance, document_id).success
        assert instance.get_materialized_partitions(dg.AssetKey("finalized_chunks")) == {str(document_id)}
