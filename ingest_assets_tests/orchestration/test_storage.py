"""Dagster's storage on a real Postgres, when several processes make it or one is killed meanwhile."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster_postgres import DagsterPostgresStorage
from sqlalchemy import event
from sqlalchemy.engine import Engine

from ingest_assets.orchestration.storage import KeptConnections
from ingest_assets.settings import sqlalchemy_url

MADE = """
SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns
    WHERE table_schema = 'public'
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT name FROM secondary_indexes WHERE migration_completed IS NOT NULL
UNION ALL SELECT version_num FROM alembic_version
ORDER BY 1
"""
MOMENTS = [
    "CREATE TABLE runs",
    "CREATE TABLE run_tags",
    "CREATE TABLE event_logs",
    "CREATE TABLE jobs",
    "alembic_version",
]


class Killed(BaseException):
    pass


@pytest.fixture
def usual(empty_database_url: str) -> list[str]:
    """What Dagster itself makes, if nothing goes wrong; it is removed again."""
    DagsterPostgresStorage(sqlalchemy_url(empty_database_url))
    found = made(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return found


def made(database_url: str) -> list[str]:
    with psycopg.connect(database_url) as connection:
        return [text for (text,) in connection.execute(MADE.encode())]


def use_storage(database_url: str) -> None:
    storage = KeptConnections(sqlalchemy_url(database_url)).run_storage
    try:
        assert storage.get_runs(dg.RunsFilter(tags={"a tag": "of a run"})) == []
    finally:
        storage.dispose()


@contextmanager
def interrupted(moment: str, interrupt: Callable[[], None]) -> Iterator[None]:
    """Do something once, before the first statement that contains a text."""
    waiting = [moment]

    def listen(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        if waiting and waiting[0] in statement:
            waiting.clear()
            interrupt()

    event.listen(Engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(Engine, "before_cursor_execute", listen)


def die() -> None:
    raise Killed


def waits_for_a_lock(database_url: str) -> bool:
    with psycopg.connect(database_url) as connection:
        return connection.execute("SELECT FROM pg_locks WHERE NOT granted").fetchone() is not None


def test_it_makes_what_dagster_itself_would_make(empty_database_url: str, usual: list[str]) -> None:
    use_storage(empty_database_url)
    assert made(empty_database_url) == usual


@pytest.mark.parametrize("moment", MOMENTS)
def test_whoever_is_killed_while_it_makes_tables_leaves_nothing_that_the_next_start_does_not_complete(
    empty_database_url: str, usual: list[str], moment: str
) -> None:
    with interrupted(moment, die), pytest.raises(Killed):
        use_storage(empty_database_url)
    use_storage(empty_database_url)
    assert made(empty_database_url) == usual


@pytest.mark.parametrize("moment", MOMENTS)
def test_who_starts_while_another_makes_tables_uses_none_before_all_are_there(
    empty_database_url: str, usual: list[str], moment: str
) -> None:
    others: list[Future[None]] = []

    def start_another() -> None:
        others.append(pool.submit(use_storage, empty_database_url))
        while not (others[0].done() or waits_for_a_lock(empty_database_url)):
            pass

    with ThreadPoolExecutor() as pool, interrupted(moment, start_another):
        use_storage(empty_database_url)
        others[0].result()
    assert made(empty_database_url) == usual
