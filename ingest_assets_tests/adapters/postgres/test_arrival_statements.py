"""What taking documents in costs the server: the same few statements, however many come in together."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from uuid import uuid4

import pytest

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.documents.intake_records import PostgresIntakeRecords
from ingest_assets.domain.documents.document import AcceptanceStatus, Arrival, UserId
from ingest_assets_tests.documents import TEST
from ingest_assets_tests.statements import Record, counted_statements, counts

ALL_NEW = {"documents_of_arrivals": 2, "BEGIN": 1, "take_lock": 1, "take_in": 1, "COMMIT": 1}
REPLACING = {"lock_jobs": 1, "replace_contents": 1, "requeue_versions": 1}


@contextmanager
def counted(database_url: str) -> Iterator[tuple[PostgresIntakeRecords, Record]]:
    """Yield intake records on an open connection, and a record of what they execute from then on."""
    with counted_statements(database_url) as (url, record):
        database = Database(url)
        try:
            records = PostgresIntakeRecords(database)
            records.remove_source(UserId(uuid4()), "nowhere")
            record.forget()
            yield records, record
        finally:
            database.close()


def arrivals(user: UserId, count: int, version: int = 1) -> list[Arrival]:
    return [
        Arrival(
            user_id=user,
            source=f"/documents/{number}.md",
            filename=f"{number}.md",
            media_type="text/markdown",
            byte_size=10,
            content_sha=sha256(f"{number} in version {version}".encode()).hexdigest(),
        )
        for number in range(count)
    ]


def take_in(records: PostgresIntakeRecords, incoming: list[Arrival]) -> set[AcceptanceStatus]:
    accepted = records.accept(incoming, records.locate(incoming), TEST)
    assert accepted is not None
    return {each.status for each in accepted}


@pytest.mark.parametrize("count", [1, 64])
def test_new_documents_come_in_by_one_statement(database_url: str, user: UserId, count: int) -> None:
    with counted(database_url) as (records, record):
        assert take_in(records, arrivals(user, count)) == {AcceptanceStatus.QUEUED}
        assert counts(record.statements) == ALL_NEW


@pytest.mark.parametrize("count", [1, 64])
def test_new_versions_take_three_statements_more(database_url: str, user: UserId, count: int) -> None:
    with counted(database_url) as (records, record):
        take_in(records, arrivals(user, count))
        record.forget()
        assert take_in(records, arrivals(user, count, version=2)) == {AcceptanceStatus.NEW_VERSION}
        assert counts(record.statements) == ALL_NEW | REPLACING
