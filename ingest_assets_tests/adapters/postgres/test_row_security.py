"""What an application sees as ingest_reader: its user's rows and no others, whatever it tries."""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import Connection, sql

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.migrations import migrate
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.search.search_index import PostgresSearchIndex
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.roles import Role
from ingest_assets.domain.search.index_policy import IndexPolicy
from ingest_assets.settings import login_url
from ingest_assets_tests.adapters.postgres.filled_database import fill, uuid_of
from ingest_assets_tests.conftest import TEMPLATE, _database
from ingest_assets_tests.stored_vectors import clustered

ME, OTHER, NOBODY = UserId(uuid_of("user 7")), UserId(uuid_of("user 8")), UserId(UUID(int=0))

WITH_USERS_DATA = """SELECT relname, (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = 1)
FROM pg_class AS c
WHERE relnamespace = 'upload_pipeline'::regnamespace AND relkind IN ('r', 'p', 'm', 'v', 'f')
    AND relname NOT IN ('alerts', 'instances', 'locks', 'migrations', 'object_store', 'paid_services',
        'readings', 'recalls', 'remote_leftovers', 'totals', 'totals_until')
ORDER BY relname"""
"""All but those that are known to have none: a new table is with users' data until somebody says otherwise."""

PRIVATE = {
    *("deleted_documents", "idempotency_keys", "moved_listings", "parse_jobs", "spending"),
    *("document_chunk_buffer", "document_vector_buffer", "webhook_log", "user_keys", "pauses"),
}
"""That applications may not read at all."""

MORE_ROWS = """
INSERT INTO upload_pipeline.webhook_log (service, document_id, user_id, body)
SELECT 'llamaparse', document_id, user_id, 'x' FROM upload_pipeline.documents;
INSERT INTO upload_pipeline.webhook_log (service, body) VALUES ('llamaparse', 'of nobody');
INSERT INTO upload_pipeline.idempotency_keys (user_id, key_sha, request_sha)
SELECT user_id, content_sha, content_sha FROM upload_pipeline.documents ON CONFLICT DO NOTHING;
INSERT INTO upload_pipeline.parse_jobs (document_id, content_sha, parser_name, parser_version, user_id, callback_secret)
SELECT document_id, content_sha, 'llamaparse', '1', user_id, content_sha FROM upload_pipeline.documents
ON CONFLICT DO NOTHING;
INSERT INTO upload_pipeline.deleted_documents (document_id, user_id)
SELECT document_id, user_id FROM upload_pipeline.documents ON CONFLICT DO NOTHING;
INSERT INTO upload_pipeline.user_keys (user_id, key_id, wrapped_key)
SELECT DISTINCT ON (user_id) user_id, document_id, 'x' FROM upload_pipeline.documents;
INSERT INTO upload_pipeline.moved_listings (dagster_id, document_id)
SELECT 'x', document_id FROM upload_pipeline.documents;
"""


@pytest.fixture(scope="module")
def url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """Fifty users with some rows in every table."""
    for made in _database(postgres, TEMPLATE):
        fill(made, most="done")
        with psycopg.connect(made) as connection:
            connection.execute(MORE_ROWS.encode())
        yield made


@pytest.fixture(scope="module")
def tables(url: str) -> dict[str, str]:
    """Each with its first column."""
    with psycopg.connect(url) as connection:
        return dict(connection.execute(WITH_USERS_DATA).fetchall())


@pytest.fixture
def reader(url: str) -> Iterator[Connection[Any]]:
    """As an application logs in, with nobody signed in yet."""
    with psycopg.connect(login_url(url, Role.READER), autocommit=True) as connection:
        yield connection


def sign_in(connection: Connection[Any], user_id: object) -> None:
    connection.execute("SELECT set_config('app.user_id', %s, false)", [str(user_id)])


def readable(tables: Iterable[str]) -> list[str]:
    return [table for table in tables if table not in PRIVATE]


def table_of(name: str) -> sql.Identifier:
    return sql.Identifier("upload_pipeline", name)


def owners(connection: Connection[Any], table: str) -> set[UUID | None]:
    return {owner for (owner,) in connection.execute(sql.SQL("SELECT user_id FROM {}").format(table_of(table)))}


def test_a_reader_sees_its_own_rows_of_every_table_it_may_read(reader: Connection[Any], tables: dict[str, str]) -> None:
    for user_id in (ME, OTHER):
        sign_in(reader, user_id)
        assert [table for table in readable(tables) if owners(reader, table) != {user_id}] == []


@pytest.mark.parametrize("user_id", ["", NOBODY])
def test_a_reader_without_a_user_sees_nothing(reader: Connection[Any], tables: dict[str, str], user_id: object) -> None:
    assert [table for table in readable(tables) if owners(reader, table)] == []
    sign_in(reader, user_id)
    assert [table for table in readable(tables) if owners(reader, table)] == []


@pytest.mark.parametrize("signed_in", [True, False])
@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO {table} DEFAULT VALUES",
        "UPDATE {table} SET {column} = DEFAULT",
        "MERGE INTO {table} USING (SELECT) AS one ON true WHEN MATCHED THEN DELETE",
        "DELETE FROM {table}",
        "TRUNCATE {table} CASCADE",
        "SELECT FROM {table} FOR UPDATE",
        "COPY {table} FROM STDIN",
        "ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        "DROP POLICY pipeline ON {table}",
        "CREATE POLICY all_rows ON {table} USING (true)",
        "CREATE TRIGGER spy AFTER INSERT ON {table} EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE TABLE upload_pipeline.mine ()",
    ],
)
def test_a_reader_changes_nothing(
    reader: Connection[Any], tables: dict[str, str], statement: str, *, signed_in: bool
) -> None:
    if signed_in:
        sign_in(reader, ME)
    for table in tables:
        [column] = reader.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum = 1",
            [f"upload_pipeline.{table}"],
        ).fetchone() or ("",)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(sql.SQL(statement).format(table=table_of(table), column=sql.Identifier(column)))


@pytest.mark.parametrize("table", sorted(PRIVATE))
def test_a_reader_does_not_even_read_what_is_the_services_own(reader: Connection[Any], table: str) -> None:
    sign_in(reader, ME)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(sql.SQL("SELECT FROM {}").format(table_of(table)))


@pytest.mark.parametrize(
    "statement",
    [
        "SET row_security = off; SELECT user_id FROM upload_pipeline.documents",
        "SET ROLE ingest_worker",
        "SET ROLE ingest_owner",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION ingest_worker",
        "SELECT upload_pipeline.turns('00000000-0000-0000-0000-000000000000', 10, false, NULL, NULL)",
        "SELECT upload_pipeline.traces_of(gen_random_uuid())",
        "SELECT pg_read_file('postgresql.conf')",
    ],
)
def test_a_reader_does_not_get_around_its_policies(reader: Connection[Any], statement: str) -> None:
    sign_in(reader, ME)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(statement.encode())


def test_a_join_of_all_tables_finds_no_foreign_row(reader: Connection[Any], tables: dict[str, str]) -> None:
    joined = sql.SQL(" FULL JOIN ").join(
        sql.SQL("{} AS {} ON {} = documents.document_id").format(
            table_of(table), sql.Identifier(table), sql.Identifier(table, "document_id")
        )
        for table in readable(tables)
        if table != "documents"
    )
    columns = sql.SQL(", ").join(sql.Identifier(table, "user_id") for table in readable(tables))
    statement = sql.SQL("SELECT ARRAY[{}] FROM upload_pipeline.documents AS documents FULL JOIN {} LIMIT 20000")
    sign_in(reader, ME)
    found = {owner for (seen,) in reader.execute(statement.format(columns, joined)) for owner in seen}
    assert found - {None} == {ME}


def test_what_an_expression_sees_is_filtered_before_it_is_evaluated(reader: Connection[Any]) -> None:
    """A function with a side effect, cheaper than the policy, is not shown other users' texts."""
    notices: list[str] = []
    reader.add_notice_handler(lambda notice: notices.append(notice.message_primary or ""))
    reader.execute(
        "CREATE FUNCTION pg_temp.peek(seen text) RETURNS boolean LANGUAGE plpgsql COST 0.0001"
        " AS $$ BEGIN RAISE NOTICE '%', seen; RETURN true; END $$"
    )
    sign_in(reader, ME)
    reader.execute("SELECT FROM upload_pipeline.documents WHERE pg_temp.peek(user_id::text)")
    assert set(notices) == {str(ME)}


def test_the_planners_statistics_of_others_words_are_hidden(reader: Connection[Any]) -> None:
    sign_in(reader, ME)
    rows = reader.execute("SELECT FROM pg_stats WHERE schemaname = 'upload_pipeline' AND tablename <> 'migrations'")
    assert rows.fetchall() == []


def test_searches_and_functions_find_no_foreign_chunk(url: str, reader: Connection[Any]) -> None:
    words = "SELECT count(*) FROM upload_pipeline.matching_chunks('{word}', '{}', 'word', 10000, 10000)"
    for user_id, expected in [(NOBODY, 0), (ME, 10), ("", 0)]:
        sign_in(reader, user_id)
        assert reader.execute(words.encode()).fetchone() == (expected,)
    nearest = b"SELECT user_id FROM upload_pipeline.document_chunks ORDER BY embedding <=> %s::vector LIMIT 1000"
    sign_in(reader, ME)
    assert {owner for (owner,) in reader.execute(nearest, [str(clustered(1)[0].tolist())])} == {ME}


def test_a_pooled_connection_carries_no_user_into_the_next_request(url: str) -> None:
    database = Database(url, connections=1)
    who = "SELECT current_user AS role, current_setting('app.user_id', true) AS user_id"
    seen = b"SELECT DISTINCT user_id FROM upload_pipeline.documents"
    with database.connection() as connection:
        process = connection.info.backend_pid
    for end in (None, ValueError("of the caller"), psycopg.errors.DivisionByZero()):
        for user_id in (ME, OTHER):
            try:
                with database.as_seen_by(user_id).connection() as connection:
                    assert connection.info.backend_pid == process
                    assert [row["user_id"] for row in connection.execute(seen)] == [user_id]
                    if isinstance(end, psycopg.Error):
                        connection.execute("SELECT 1 / 0")
                    if end is not None:
                        raise end
            except (ValueError, psycopg.errors.DivisionByZero):
                pass
            with database.connection() as connection:
                row = connection.execute(who.encode()).fetchone()
                assert connection.info.backend_pid == process
            assert row is not None
            assert (row["role"], row["user_id"] or "") == (Role.WORKER, "")
    database.close()


def test_a_search_sees_only_chunks_of_its_user_even_if_it_asks_for_others(url: str) -> None:
    database = Database(url)
    index = PostgresSearchIndex(database, IndexPolicy())
    theirs = index.matching(OTHER, "words", 100)
    assert theirs
    assert index.hits(ME, theirs) == []
    assert {hit.chunk_id for hit in index.hits(OTHER, theirs)} == set(theirs)
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE upload_pipeline.events SET actor = 'x'",
        "DELETE FROM upload_pipeline.events",
        "TRUNCATE upload_pipeline.events",
        "DELETE FROM upload_pipeline.paid_calls",
        "INSERT INTO upload_pipeline.migrations (name, checksum) VALUES ('x', 'x')",
        "ALTER TABLE upload_pipeline.documents NO FORCE ROW LEVEL SECURITY",
        "DROP TABLE upload_pipeline.documents",
        "CREATE ROLE another",
        "SET ROLE ingest_owner",
        "SET ROLE postgres",
    ],
)
def test_the_worker_may_not_do_what_it_does_not_need(url: str, statement: str) -> None:
    with (
        psycopg.connect(login_url(url, Role.WORKER)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_whoever_is_signed_in_where_the_server_knows_it_is_the_user(empty_database_url: str) -> None:
    """As Supabase does it; who is signed in counts before what a transaction says."""
    make_documents_where_sign_ins_are_known(empty_database_url)
    with psycopg.connect(login_url(empty_database_url, Role.READER), autocommit=True) as connection:
        assert owners(connection, "documents") == set()
        sign_in(connection, OTHER)
        assert owners(connection, "documents") == {OTHER}
        connection.execute("SELECT set_config('request.jwt.claim.sub', %s, false)", [str(ME)])
        assert owners(connection, "documents") == {ME}


@pytest.mark.parametrize("setting", ["request.jwt.claim.sub", "request.jwt.claims"])
def test_what_somebody_else_has_left_in_a_shared_session_shows_nobody_elses_documents(
    empty_database_url: str, setting: str
) -> None:
    """Behind a pooler, an application with the same login may have signed a user in for the whole session."""
    make_documents_where_sign_ins_are_known(empty_database_url)
    left = str(ME) if setting.endswith("sub") else json.dumps({"sub": str(ME)})
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("SELECT set_config(%s, %s, false)", [setting, left])
        with connection.transaction():
            connection.execute(query("become_reader"), {"user_id": str(OTHER)})
            assert owners(connection, "documents") == {OTHER}


def make_documents_where_sign_ins_are_known(url: str) -> None:
    """Make a schema with a document of each user, where auth.uid() reads both forms of claims."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA auth")
        connection.execute(
            "CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE"
            " RETURN coalesce(nullif(current_setting('request.jwt.claim.sub', true), ''),"
            " nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid"
        )
        migrate(url)
        for number, user_id in enumerate((ME, OTHER)):
            connection.execute(
                "INSERT INTO upload_pipeline.documents"
                " (document_id, user_id, filename, media_type, byte_size, content_sha)"
                " VALUES (gen_random_uuid(), %s, %s, 'text/plain', 1, repeat('a', 64))",
                [user_id, f"{number}.txt"],
            )
