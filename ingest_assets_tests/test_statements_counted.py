"""The counting of statements: it sees what the server executes, however the client sends it."""

from collections.abc import Sequence

import psycopg
import pytest

from ingest_assets.adapters.postgres.queries import query
from ingest_assets_tests.statements import Connection, counted_statements, counts

PREPARED_AFTER = 5


def test_begin_and_commit_count_and_statements_have_their_names(database_url: str) -> None:
    with counted_statements(database_url) as (url, record), psycopg.connect(url, autocommit=True) as connection:
        with connection.transaction():
            connection.execute(query("any_unfinished"))
            connection.execute(query("count_documents"))
        assert counts(record.statements) == {"BEGIN": 1, "any_unfinished": 1, "count_documents": 1, "COMMIT": 1}


def test_parameters_and_prepared_statements_do_not_hide_a_name(database_url: str) -> None:
    names: dict[str, list[str]] = {"job_ids": [], "fences": []}
    with counted_statements(database_url) as (url, record), psycopg.connect(url, autocommit=True) as connection:
        for _ in range(2 * PREPARED_AFTER):
            connection.execute(query("mark_reported"), names)
        assert counts(record.statements) == {"mark_reported": 2 * PREPARED_AFTER}
        assert record.statements[0].answer == "UPDATE 0"


def test_each_statement_of_a_pipeline_counts(database_url: str) -> None:
    with counted_statements(database_url) as (url, record), psycopg.connect(url, autocommit=True) as connection:
        with connection.pipeline(), connection.transaction():
            for number in range(3):
                connection.execute("SELECT %s::int", [number])
        assert counts(record.statements) == {"SELECT $1::int": 3, "BEGIN": 1, "COMMIT": 1}


def test_several_statements_in_one_simple_query_count_each(database_url: str) -> None:
    with counted_statements(database_url) as (url, record), psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT 1; SELECT 2; SELECT 3")
        assert [each.answer for each in record.statements] == ["SELECT 1"] * 3


def test_what_the_server_skips_after_an_error_does_not_count(database_url: str) -> None:
    with counted_statements(database_url) as (url, record), psycopg.connect(url, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.DivisionByZero):
            _execute_together(connection, [("SELECT 1 / %s", [0]), ("SELECT %s::int", [1])])
        connection.execute("SELECT %s::int", [2])
        assert [each.answer for each in record.statements] == ["ERROR 22012", "SELECT 1"]


def _execute_together(connection: Connection, statements: Sequence[tuple[str, list[int]]]) -> None:
    with connection.pipeline():
        for statement, parameters in statements:
            connection.execute(statement.encode(), parameters)


def test_rows_that_are_copied_in_are_one_statement(database_url: str) -> None:
    with counted_statements(database_url) as (url, record), psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE numbers (number int)")
        with connection.cursor().copy("COPY numbers FROM STDIN") as copy:
            for number in range(10_000):
                copy.write_row([number])
        assert [each.answer for each in record.statements] == ["CREATE TABLE", "COPY 10000"]


def test_statements_of_every_connection_are_counted_in_the_order_of_the_answers(database_url: str) -> None:
    with (
        counted_statements(database_url) as (url, record),
        psycopg.connect(url, autocommit=True) as one,
        psycopg.connect(url, autocommit=True) as other,
    ):
        for connection, statement in ((one, "SELECT 1"), (other, "SELECT 2"), (one, "SELECT 3")):
            connection.execute(statement.encode())
        assert [each.name for each in record.statements] == ["SELECT 1", "SELECT 2", "SELECT 3"]


def test_a_watched_query_says_from_where_to_where_the_work_went(database_url: str) -> None:
    watched = "SELECT setting FROM steps"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE steps AS SELECT 'queued' AS setting")
    with (
        counted_statements(database_url, watched) as (url, record),
        psycopg.connect(url, autocommit=True) as worker,
        psycopg.connect(url, autocommit=True) as prepared_meanwhile,
    ):
        worker.execute("SELECT 'before'")
        with worker.transaction():
            worker.execute("SELECT 'claims'")
            worker.execute("UPDATE steps SET setting = 'working'")
        prepared_meanwhile.execute("SELECT 'prepares'")
        prepared_meanwhile.execute(query("applied_migrations"))
        prepared_meanwhile.execute("SELECT 'works'")
        worker.execute("UPDATE steps SET setting = 'done'")
        worker.execute("SELECT 'after'")
        names = [each.name for each in record.between("working", "done")]
    claim = ["BEGIN", "SELECT 'claims'", "UPDATE steps SET setting = 'working'", "COMMIT"]
    assert names == [*claim, "SELECT 'works'", "UPDATE steps SET setting = 'done'"]
