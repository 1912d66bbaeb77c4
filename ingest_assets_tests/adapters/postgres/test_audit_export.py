"""An export that goes on behind the last event misses none, in whatever order transactions began, wrote and ended."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg
import pytest

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.documents.export import Export
from ingest_assets.composition import Deployment
from ingest_assets.domain.errors import ResourceError

AT_ONCE = timedelta(0)

WRITE = """
INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor)
VALUES (%s, %s, %s, 1, 'queued', 'queued', 'test')
RETURNING event_id
"""


class Writer:
    """A transaction of its own."""

    def __init__(self, url: str, ending: ExitStack) -> None:
        self.connection = ending.enter_context(psycopg.connect(url))

    def begin(self) -> None:
        self.connection.execute("SELECT pg_current_xact_id()")

    def write(self) -> int:
        [event_id] = self.connection.execute(WRITE, (uuid4(), uuid4(), uuid4())).fetchone() or ()
        assert isinstance(event_id, int)
        return event_id


@pytest.fixture
def writers(database_url: str) -> Iterator[tuple[Writer, Writer, Writer]]:
    with ExitStack() as ending:
        yield Writer(database_url, ending), Writer(database_url, ending), Writer(database_url, ending)


@pytest.fixture
def database(deployment: Deployment) -> Database:
    return deployment.database


def exported(database: Database, after: int = 0) -> list[int]:
    return [event["event_id"] for event in Export(database, AT_ONCE).events(after)]


def test_an_event_of_a_transaction_that_ends_later_is_not_passed_over(
    database: Database, writers: tuple[Writer, Writer, Writer]
) -> None:
    slow, quick, _ = writers
    first = slow.write()
    second = quick.write()
    quick.connection.commit()
    with pytest.raises(ResourceError, match="database_locked"):
        exported(database)
    slow.connection.commit()
    assert exported(database) == [first, second]
    assert exported(database, after=first) == [second]
    assert exported(database, after=second) == []


def test_a_transaction_that_began_earlier_may_write_later_and_end_first(
    database: Database, writers: tuple[Writer, Writer, Writer]
) -> None:
    """Then the order of transaction ids says nothing of the order of events."""
    early, late, _ = writers
    early.begin()
    first = late.write()
    second = early.write()
    early.connection.commit()
    with pytest.raises(ResourceError, match="database_locked"):
        exported(database)
    late.connection.commit()
    assert exported(database) == [first, second]


def test_what_is_rolled_back_holds_up_nothing(database: Database, writers: tuple[Writer, Writer, Writer]) -> None:
    undone, quick, _ = writers
    undone.write()
    kept = quick.write()
    quick.connection.commit()
    undone.connection.rollback()
    assert exported(database) == [kept]


def test_whoever_begins_while_an_export_waits_is_not_waited_for_and_is_exported_next_time(
    database: Database, writers: tuple[Writer, Writer, Writer]
) -> None:
    slow, quick, later = writers
    first = slow.write()
    second = quick.write()
    quick.connection.commit()
    written: list[int] = []

    def meanwhile(_seconds: float) -> None:
        written.append(later.write())
        slow.connection.commit()

    export = Export(database, timedelta(seconds=15), meanwhile)
    assert [event["event_id"] for event in export.events()] == [first, second]
    [third] = written
    later.connection.commit()
    assert exported(database, after=second) == [third]


def test_reading_and_vacuuming_holds_up_nothing(database: Database, writers: tuple[Writer, Writer, Writer]) -> None:
    reader, writer, _ = writers
    event_id = writer.write()
    writer.connection.commit()
    reader.connection.execute("SELECT count(*) FROM upload_pipeline.events")
    reader.connection.execute("LOCK TABLE upload_pipeline.events IN SHARE UPDATE EXCLUSIVE MODE")
    assert exported(database) == [event_id]


def test_other_tables_hold_up_nothing(database: Database, writers: tuple[Writer, Writer, Writer]) -> None:
    other, writer, _ = writers
    event_id = writer.write()
    writer.connection.commit()
    other.connection.execute("DELETE FROM upload_pipeline.documents WHERE document_id = %s", (UUID(int=0),))
    assert exported(database) == [event_id]
