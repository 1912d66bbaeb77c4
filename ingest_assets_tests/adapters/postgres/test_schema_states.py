"""Code meets a schema that is older or newer than itself: it says so at once, by name."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.postgres.database import Database, connected
from ingest_assets.adapters.postgres.doors import open_doors
from ingest_assets.adapters.postgres.migrations import Migration, migrate, migrations, pending
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.roles import Role
from ingest_assets.settings import login_url

WITHOUT_END = 3600.0
"""A pool that waited for this long would never end the test."""


def code_of(database: Database) -> str | None:
    """Return the code with which the database refuses, or None if it answers."""
    try:
        with database.connection() as connection:
            connection.execute("SELECT FROM upload_pipeline.documents")
    except IngestError as error:
        return error.code
    return None


def record(url: str, name: str, statements: str = "") -> None:
    """Do what a release does that this code does not know."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statements.encode())
        connection.execute(
            "INSERT INTO upload_pipeline.migrations (name, checksum) VALUES (%s, repeat('0', 64))", [name]
        )


@pytest.fixture
def fresh_server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server that nobody has migrated yet, with pgvector but without the roles."""
    server = EmbeddedPostgres(tmp_path / "fresh")
    server.start()
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
        for role in Role:
            connection.execute(f"DROP ROLE IF EXISTS {role}".encode())
    yield server
    server.stop()


@pytest.mark.parametrize("applied", range(len(migrations())))
def test_every_older_schema_is_outdated_unless_only_a_later_cleaning_is_missing(
    empty_database_url: str, applied: int
) -> None:
    missing = migrations()[applied:]
    migrate(empty_database_url, migrations()[:applied])
    with closing(Database(empty_database_url, patience=WITHOUT_END)) as database:
        expected = "schema_outdated" if any("_post_" not in each.name for each in missing) else None
        assert code_of(database) == expected


def test_a_server_without_the_roles_is_outdated_for_every_login(fresh_server: EmbeddedPostgres) -> None:
    for url in (fresh_server.url(), login_url(fresh_server.url(), Role.WORKER)):
        with closing(Database(url, patience=WITHOUT_END)) as database:
            assert code_of(database) == "schema_outdated"
    with pytest.raises(IngestError, match="schema_outdated"), connected(login_url(fresh_server.url(), Role.OWNER)):
        pass


def test_a_database_that_came_to_a_server_without_the_roles_gets_them(fresh_server: EmbeddedPostgres) -> None:
    url = fresh_server.url()
    migrate(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("REASSIGN OWNED BY ingest_owner TO CURRENT_USER")
        for role in Role:
            connection.execute(f"DROP OWNED BY {role}".encode())
        for role in Role:
            connection.execute(f"DROP ROLE {role}".encode())
    assert migrate(url) == []
    psycopg.connect(login_url(url, Role.READER)).close()
    with connected(url) as connection:
        assert open_doors(connection) == []


def test_a_pool_that_was_refused_works_once_the_schema_is_up_to_date(empty_database_url: str) -> None:
    migrate(empty_database_url, migrations()[:5])
    with closing(Database(empty_database_url, connections=2, patience=WITHOUT_END)) as database:
        assert [code_of(database) for _ in range(3)] == ["schema_outdated"] * 3
        migrate(empty_database_url)
        assert [code_of(database) for _ in range(3)] == [None] * 3


def test_older_code_goes_on_with_a_newer_schema_that_is_compatible(database_url: str) -> None:
    record(database_url, "9998_pre_more", "ALTER TABLE upload_pipeline.documents ADD COLUMN more text")
    with closing(Database(database_url)) as database:
        assert code_of(database) is None
    assert migrate(database_url) == []


@pytest.mark.parametrize("name", ["9999_post_less", "9999_between_keys"])
def test_older_code_refuses_a_newer_schema_that_is_not(database_url: str, name: str) -> None:
    record(database_url, name)
    with closing(Database(database_url, patience=WITHOUT_END)) as database:
        assert code_of(database) == "schema_newer"
    for attempt in (migrate, pending):
        with pytest.raises(IngestError, match="schema_newer") as raised:
            attempt(database_url)
        assert name in raised.value.message


@pytest.mark.parametrize(
    "statements",
    [
        "ALTER TABLE upload_pipeline.documents DROP COLUMN page_starts CASCADE",
        "DROP TABLE upload_pipeline.documents CASCADE",
        "DROP FUNCTION upload_pipeline.turns",
    ],
)
def test_a_connection_that_is_older_than_the_newer_schema_says_so_too(database_url: str, statements: str) -> None:
    asked = "SELECT page_starts, upload_pipeline.turns(document_id, 1, false, 1, NULL) FROM upload_pipeline.documents"
    with closing(Database(database_url, connections=1)) as database:
        assert code_of(database) is None
        record(database_url, "9999_post_less", statements)
        for reading in (database, database.as_seen_by(UserId(uuid4()))):
            with pytest.raises(IngestError, match="schema_newer"), reading.connection() as connection:
                connection.execute(asked)


def test_a_mistake_in_a_statement_is_not_blamed_on_the_schema(database_url: str) -> None:
    with closing(Database(database_url)) as database:
        with pytest.raises(psycopg.errors.UndefinedColumn), database.connection() as connection:
            connection.execute("SELECT misspelt FROM upload_pipeline.documents")
        assert code_of(database) is None


def test_a_login_that_may_not_act_as_the_worker_is_still_told_apart(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS bystander")
        connection.execute("CREATE ROLE bystander LOGIN")
    with closing(Database(login_url(database_url, "bystander"), patience=WITHOUT_END)) as database:
        assert code_of(database) == "role_denied"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP ROLE bystander")


def test_a_new_migration_that_is_compatible_is_applied_while_older_code_works(database_url: str) -> None:
    added = Migration("9998_pre_more", b"ALTER TABLE upload_pipeline.documents ADD COLUMN more text")
    with closing(Database(database_url, connections=1)) as database:
        assert code_of(database) is None
        assert migrate(database_url, [*migrations(), added]) == [added.name]
        assert code_of(database) is None
