"""An application's login tries to write, to block others and to go where it has no business."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import Connection, sql

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.postgres import locks
from ingest_assets.adapters.postgres.database import connected
from ingest_assets.adapters.postgres.diagnosis import Diagnosis
from ingest_assets.adapters.postgres.doors import close_doors, open_doors
from ingest_assets.adapters.postgres.migrations import create_database, migrate
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.roles import Role
from ingest_assets.domain.search.index_policy import IndexAction, IndexState
from ingest_assets.settings import login_url, sibling_database
from ingest_assets_tests.conftest import _database
from ingest_assets_tests.documents import LEASE, submit
from ingest_assets_tests.stored_vectors import MODEL

REFUSED = psycopg.errors.InsufficientPrivilege
ADVISORY = (
    "SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database"
    " WHERE datname = current_database())"
)


@pytest.fixture(scope="module")
def url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database that was migrated itself: a copy of another has none of that one's rights."""
    for made in _database(postgres, "template1"):
        migrate(made)
        yield made


@pytest.fixture
def reader(url: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(login_url(url, Role.READER), autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT lo_create(0)",
        "SELECT lo_creat(-1)",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT lo_put(1, 0, 'x')",
        "SELECT lo_unlink(1)",
        "CREATE TEMP TABLE mine (x text)",
        "CREATE FUNCTION pg_temp.mine() RETURNS void LANGUAGE sql RETURN NULL",
        "CREATE SCHEMA mine",
        "CREATE TABLE public.mine (x text)",
        "SELECT pg_logical_emit_message(false, 'x', repeat('x', 1000))",
        "SELECT pg_advisory_lock(n) FROM generate_series(1, 100000) AS n",
        "SELECT pg_advisory_xact_lock_shared(1, 2)",
        "SELECT pg_try_advisory_lock(1)",
    ],
)
def test_a_reader_neither_writes_nor_fills_what_all_share(reader: Connection[Any], statement: str) -> None:
    with pytest.raises(REFUSED):
        reader.execute(statement.encode())


def test_a_reader_locks_no_row_and_no_table_against_the_pipeline(url: str, reader: Connection[Any]) -> None:
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'upload_pipeline'").fetchall()
    assert len(tables) > 10
    for (table,) in tables:
        name = sql.Identifier("upload_pipeline", table)
        with pytest.raises(REFUSED):
            reader.execute(sql.SQL("SELECT FROM {} FOR KEY SHARE").format(name))
        with pytest.raises(REFUSED), reader.transaction():
            reader.execute(sql.SQL("LOCK TABLE {} IN ROW SHARE MODE").format(name))


def test_no_work_of_the_pipeline_waits_for_an_advisory_lock(deployment: Deployment, user: UserId) -> None:
    """On a server where nobody can take advisory locks away from readers, there is no key to guess or to see."""
    limited = deployment.replacing(settings=deployment.settings.model_copy(update={"jobs_per_user": 1}))
    submit(deployment, user, "Some text.")
    seen: list[object] = []
    with psycopg.connect(deployment.database_url, autocommit=True) as watch:

        def look(state: IndexState | None = None) -> IndexAction:
            seen.append((state is not None, watch.execute(ADVISORY).fetchall()))
            return IndexAction.KEEP

        with deployment.intake_records.paused(user):
            look()
        with deployment.database.transaction() as connection:
            locks.lock(connection, locks.CLAIMS)
            look()
        assert limited.claims.claim("worker", 1, LEASE)
        deployment.vector_index.keep(MODEL, look)
        with locks.held(deployment.database_url, locks.MIGRATIONS):
            look()
    assert seen == [(False, []), (False, []), (True, []), (False, [])]


def test_an_intake_goes_on_although_a_reader_holds_the_keys_that_it_once_took(
    deployment: Deployment, user: UserId
) -> None:
    keys = [f"intake {user}", "claims", "instances", "vector indexes", "ingest-assets migrations"]
    with psycopg.connect(deployment.database_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(hashtextextended(key, 0)) FROM unnest(%s::text[]) AS key", [keys])
        assert submit(deployment, user, "Some text.").status == "queued"
        assert len(deployment.claims.claim("worker", 1, LEASE)) == 1
        assert deployment.vector_index.keep(MODEL, lambda _: IndexAction.KEEP) is IndexAction.KEEP
        assert migrate(deployment.database_url) == []


def test_one_of_two_sessions_has_a_lock_and_frees_it_however_it_ends(database_url: str) -> None:
    with locks.held_if_free(database_url, "x") as first, locks.held_if_free(database_url, "x") as second:
        assert first
        assert not second
    with pytest.raises(ValueError, match="ends"), locks.held(database_url, "x"):
        raise ValueError("ends")
    with locks.held_if_free(database_url, "x") as third:
        assert third


@pytest.mark.parametrize(
    "setting", ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "temp_file_limit"]
)
def test_a_readers_session_is_limited_from_its_start(reader: Connection[Any], setting: str) -> None:
    [[value]] = reader.execute(f"SHOW {setting}".encode()).fetchall()
    assert value not in {"0", "-1"}


def test_a_reader_may_not_give_itself_more_room_on_the_disk(reader: Connection[Any]) -> None:
    with pytest.raises(REFUSED):
        reader.execute("SET temp_file_limit = -1")


def test_a_reader_does_not_get_into_dagsters_database(url: str) -> None:
    dagster = sibling_database(url, f"dagster_{uuid4().hex}")
    assert create_database(dagster)
    try:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(login_url(dagster, Role.READER))
        assert Diagnosis(dagster).open_entrances() == []
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            name = sql.Identifier(dagster.partition("?")[0].rpartition("/")[2])
            connection.execute(sql.SQL("DROP DATABASE {}").format(name))


def test_the_statement_that_doctor_names_keeps_readers_out_whoever_runs_it(url: str) -> None:
    dagster, superuser = sibling_database(url, f"dagster_{uuid4().hex}"), sibling_database(url, "postgres")
    name = sql.Identifier(dagster.partition("?")[0].rpartition("/")[2])
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            [entrance] = Diagnosis(login_url(dagster, Role.WORKER)).open_entrances()
            connection.execute(entrance.closing.encode())
            psycopg.connect(login_url(dagster, Role.WORKER)).close()
            with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
                psycopg.connect(login_url(dagster, Role.READER))
        finally:
            connection.execute(sql.SQL("DROP DATABASE {}").format(name))


def test_readers_get_into_the_pipelines_database_though_dagster_shares_it(url: str) -> None:
    assert Diagnosis(url).open_entrances() == []
    assert not create_database(url)
    psycopg.connect(login_url(url, Role.READER)).close()


def test_what_stays_open_is_told(url: str) -> None:
    """As on a managed server, where nobody is a superuser."""
    with connected(url) as connection:
        assert open_doors(connection) == []
        connection.execute("GRANT EXECUTE ON FUNCTION lo_create(oid) TO PUBLIC")
        connection.execute("SET ROLE ingest_owner")
        close_doors(connection)
        assert [each.door.partition(",")[0] for each in Diagnosis(url).open_doors()] == ["write large objects"]
        connection.execute("RESET ROLE")
        close_doors(connection)
        assert open_doors(connection) == []


def test_new_rights_of_everybody_are_found_and_ended(url: str) -> None:
    with connected(url) as connection:
        connection.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        [[name]] = [row.values() for row in connection.execute("SELECT current_database()").fetchall()]
        connection.execute(sql.SQL("GRANT TEMP ON DATABASE {} TO PUBLIC").format(sql.Identifier(str(name))))
        connection.execute(
            sql.SQL("ALTER ROLE ingest_reader IN DATABASE {} RESET lock_timeout").format(sql.Identifier(str(name)))
        )
        assert len(open_doors(connection)) == 3
        assert migrate(url) == []
        assert open_doors(connection) == []
