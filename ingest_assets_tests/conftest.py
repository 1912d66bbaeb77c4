"""One real Postgres for the whole run, one fresh database per test, and a deployment on it."""

import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import dagster as dg
import psycopg
import pytest
from filelock import FileLock, Timeout
from psycopg import sql
from pydantic import SecretStr

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.postgres.migrations import migrate
from ingest_assets.composition import PROVIDERS, Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.retry_policy import RetryPolicy
from ingest_assets.settings import Settings, sibling_database

pytest.register_assert_rewrite("ingest_assets_tests.contracts")

TEMPLATE = "template_ingest"
FOREIGN = ("INGEST_", "DAGSTER_", "OPENAI_", "LLAMA_CLOUD_", *(provider.key_variable for provider in PROVIDERS))
CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
LONG = ("system", "faults", "cluster")
"""The folders of tests that mostly wait."""
OTHERS_PER_LONG = 5
"""How many other files come after each file of a long folder: so some process always has something to compute."""
MEMORY = Path("/dev/shm")  # noqa: S108  only a folder in it is used, which is closed to others
ROOM = 4 * 1024**3
PREFIX = "ingest-tests-"
IN_USE = "in-use.lock"
"""The lock of a run's folder in memory; a run that was killed holds it no more."""
FOLDER = "TESTS_FOLDER_IN_MEMORY"
"""The variable that names a folder in memory to all processes of this test run, if there is room."""


def pytest_configure(config: pytest.Config) -> None:
    # Images often set this, and then each process of a deployment compiles Dagster anew, for two seconds.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    if not hasattr(config, "workerinput") and MEMORY.is_dir():
        with FileLock(MEMORY / f"{PREFIX}{os.getuid()}.lock"):
            _remove_what_killed_runs_left()
            if _is_roomy(MEMORY):
                _take_folder(config)


def _take_folder(config: pytest.Config) -> None:
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=MEMORY))
    folder.chmod(0o711)
    lock = FileLock(folder / IN_USE)
    lock.acquire()
    config.add_cleanup(lock.release)
    os.environ[FOLDER] = str(folder)


def _remove_what_killed_runs_left() -> None:
    for lock in MEMORY.glob(f"{PREFIX}*/{IN_USE}"):
        with suppress(PermissionError, Timeout), FileLock(lock, blocking=False):
            shutil.rmtree(lock.parent)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and (folder := os.environ.pop(FOLDER, None)):
        shutil.rmtree(folder, ignore_errors=True)


def _is_roomy(folder: Path) -> bool:
    size = os.statvfs(folder)
    return size.f_frsize * size.f_bavail >= ROOM


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    gc.disable()


def pytest_collection_finish() -> None:
    """Never look again through thousands of tests for what could be freed."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    places: dict[Path, float] = {}
    counts = {True: 0, False: 0}
    for item in items:
        if item.path not in places:
            is_long = item.path.parent.name in LONG
            places[item.path] = counts[is_long] * OTHERS_PER_LONG - 0.5 if is_long else counts[is_long]
            counts[is_long] += 1
    items.sort(key=lambda item: places[item.path])


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the person who runs the tests has set up for real."""
    for name in list(os.environ):
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One folder for all workers of this test run."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def postgres(run_folder: Path) -> Iterator[EmbeddedPostgres]:
    """The server's files are in memory if there is room: a disk takes half a second for each new database."""
    server = EmbeddedPostgres(run_folder / "postgres")
    with FileLock(run_folder / "template.lock"):
        _place(run_folder / "postgres" / "postgres" / "cluster")
        server.start()
        _make_template(server)
    yield server
    server.stop()


def _place(cluster: Path) -> None:
    if FOLDER in os.environ and not cluster.exists():
        folder = Path(os.environ[FOLDER]) / "cluster"
        folder.mkdir(mode=0o711)
        cluster.parent.mkdir(mode=0o711, parents=True)
        cluster.symlink_to(folder)


def _make_template(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone():
            return
        for setting in ("wal_compression", "full_page_writes"):  # every new database would be copied into the log
            connection.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(setting)))
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("CREATE DATABASE making_template")
        migrate(server.url("making_template"))
        connection.execute(sql.SQL("ALTER DATABASE making_template RENAME TO {}").format(sql.Identifier(TEMPLATE)))


@pytest.fixture
def empty_database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    yield from _database(postgres, "template1")


@pytest.fixture
def database_url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A migrated database that no other test sees."""
    yield from _database(postgres, TEMPLATE)


def _database(server: EmbeddedPostgres, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        copy_database(connection, name, template)
        yield sibling_database(server.url("postgres"), name)
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def copy_database(connection: psycopg.Connection, name: str, template: str) -> None:
    """Make a database in the tests' server, in the way that is quicker where its files are."""
    strategy = sql.SQL("file_copy" if FOLDER in os.environ else "wal_log")
    creation = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY {}")
    connection.execute(creation.format(sql.Identifier(name), sql.Identifier(template), strategy))


@pytest.fixture(scope="session")
def parser() -> Iterator[LocalParser]:
    local = LocalParser()
    yield local
    local.close()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    return settings_for(database_url, tmp_path / "home")


def settings_for(database_url: str, home: Path) -> Settings:
    return Settings(home=home, database_url=SecretStr(database_url), lease_seconds=30)


@pytest.fixture
def deployment(settings: Settings, parser: LocalParser) -> Iterator[Deployment]:
    with deployment_for(settings, parser) as made:
        yield made


@contextmanager
def deployment_for(settings: Settings, parser: LocalParser) -> Iterator[Deployment]:
    """A deployment that shares its warm parser workers with other tests."""
    made = Deployment(settings)
    try:
        # The tests' server has just started, and nobody has to find it again.
        policy = RetryPolicy(reconnection=timedelta(0))
        yield made.replacing(parser=parser, local_parser=parser, jitter=lambda: 0.0, retry_policy=policy)
    finally:
        made.close()


@pytest.fixture
def other_deployment(postgres: EmbeddedPostgres, tmp_path: Path, parser: LocalParser) -> Iterator[Deployment]:
    """A second deployment that shares nothing with the first."""
    for url in _database(postgres, TEMPLATE):
        with deployment_for(settings_for(url, tmp_path / "other home"), parser) as made:
            yield made


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A real Dagster instance of this test's own, with its databases in memory if there is room."""
    with (
        tempfile.TemporaryDirectory(dir=os.environ.get(FOLDER)) as folder,
        dg.instance_for_test(temp_dir=folder) as made,
    ):
        yield made


@pytest.fixture
def user() -> UserId:
    return UserId(uuid4())


@pytest.fixture
def other_user() -> UserId:
    return UserId(uuid4())
