"""A deployment of a benchmark's own: a fresh home on the embedded database, driven from outside as users do."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from pgvector.psycopg import register_vector
from psycopg import Connection
from psycopg.rows import DictRow, dict_row
from pydantic import SecretStr

from benchmarks.dagster_page import DagsterPage
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.settings import LOCAL_USER, Settings, sibling_database

INGEST = Path(sys.executable).parent / "ingest"
PATIENCE_SECONDS = 3_600
OWNER = UserId(LOCAL_USER)
"""Of whatever a command submits on the embedded database."""
FOREIGN = ("INGEST_", "OPENAI_", "LLAMA_CLOUD_", "DAGSTER_")


@dataclass(frozen=True)
class Home:
    """Its embedded server runs for as long as this process holds it, so no command pays for a start."""

    folder: Path
    deployment: Deployment

    @property
    def environment(self) -> dict[str, str]:
        settings = self.deployment.settings
        url = settings.database_url
        database = {} if url is None else {"INGEST_DATABASE_URL": url.get_secret_value()}
        return os.environ | {"INGEST_HOME": str(settings.home)} | database

    @property
    def postmaster(self) -> int:
        """The process id of the embedded server."""
        folder = Path(self.row("SHOW data_directory")["data_directory"])
        return int((folder / "postmaster.pid").read_text().split()[0])

    @cached_property
    def database(self) -> Connection[DictRow]:
        """As the superuser, beside what the deployment may do."""
        connection = psycopg.connect(self.deployment.database_url, autocommit=True, row_factory=dict_row)
        register_vector(connection)
        return connection

    def ingest(self, *arguments: object) -> Any:
        """What the command prints as JSON. Raises CalledProcessError."""
        command = [str(INGEST), *map(str, arguments), "--json"]
        return json.loads(subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE).stdout)

    def start(self, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        command = [str(INGEST), *map(str, arguments), "--json"]
        output, messages = subprocess.PIPE, (self.folder / "messages.log").open("a")
        with messages:
            return subprocess.Popen(
                command, env=self.environment | environment, stdout=output, stderr=messages, text=True
            )

    @contextmanager
    def serving(self, *arguments: object, **environment: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """A command that runs until Ctrl-C: its process id, and the JSON that it announces itself with."""
        with self.start(*arguments, **environment) as process:
            assert process.stdout is not None
            try:
                announcement = ""
                for line in process.stdout:
                    announcement += line
                    if line.startswith("}"):
                        break
                yield process.pid, json.loads(announcement)
            finally:
                process.send_signal(signal.SIGINT)

    @contextmanager
    def up(self, **environment: str) -> Iterator[tuple[int, DagsterPage]]:
        """`ingest up`, once its daemon has looked at the queue for the first time."""
        with self.serving("up", "--port", "0", **environment) as (pid, announced):
            page = DagsterPage(announced["ui"])
            wait_until(page.has_ticked, "the sensor's first tick", seconds=180, every=0.5)
            yield pid, page

    def rows(self, statement: LiteralString, **names: Any) -> list[dict[str, Any]]:
        return self.database.execute(statement, names).fetchall()

    def row(self, statement: LiteralString, **names: Any) -> dict[str, Any]:
        [row] = self.rows(statement, **names)
        return row

    def execute(self, statement: str) -> None:
        """In a transaction of its own, or in none where it allows none."""
        self.database.execute(statement.encode())

    def make_database(self, name: LiteralString) -> str:
        """The URL of a new, empty database on the same server."""
        self.execute(f"CREATE DATABASE {name}")
        return sibling_database(self.deployment.database_url, name)


def forget_this_machine() -> None:
    """Forget whatever the person who measures has set up for real."""
    for name in list(os.environ):
        if name.startswith(FOREIGN):
            del os.environ[name]
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"


@contextmanager
def fresh_home(database_url: str | None = None) -> Iterator[Home]:
    """Give a home that is migrated, and gone with the block; its database is embedded unless there is a URL."""
    with tempfile.TemporaryDirectory(prefix="ingest-benchmark-", ignore_cleanup_errors=True) as folder:
        url = None if database_url is None else SecretStr(database_url)
        deployment = Deployment(Settings(home=Path(folder) / "home", database_url=url))
        home = Home(Path(folder), deployment)
        try:
            assert deployment.database_url
            home.ingest("migrate")
            yield home
        finally:
            if "database" in vars(home):
                home.database.close()
            deployment.close()


def wait_until(happened: Callable[[], object], what: str, *, seconds: float = PATIENCE_SECONDS, every: float) -> float:
    """When it happened, as the wall clock says. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return time.time()
        time.sleep(every)
    raise TimeoutError(f"{what} did not come within {seconds:.0f} s")
