"""The scan for what is left of a document knows every table; one that is made later cannot be forgotten."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import Connection

ABOUT_NO_DOCUMENT = {
    *("alerts", "instances", "locks", "migrations", "object_store", "paid_services", "pauses", "user_keys"),
    *("readings", "recalls", "totals", "totals_until"),
}
SUMS_ONLY = {"spending"}
"""What is spent of a document's budget: its id and an amount."""
OF_PROVIDERS = {"remote_leftovers"}
"""What is to be removed at a provider: the provider's ids, until it has removed them."""
KEPT = {
    "events": {
        "event_id", "occurred_at", "document_id", "job_id", "user_id", "version", "stage", "state", "actor", "code",
        "payload", "correlation_id",
    },
    "deleted_documents": {"document_id", "user_id", "deleted_at", "erased_at", "unlisted_at"},
    "idempotency_keys": {"user_id", "key_sha", "request_sha", "document_id", "job_id", "status", "created_at"},
    "paid_calls": {
        "call_id", "service", "user_id", "document_id", "outcome", "estimated_tokens", "estimated_pages",
        "estimated_credits", "estimated_micro_usd", "doubtful", "tokens", "pages", "credits", "micro_usd", "request_id",
        "started_at", "expires_at", "settled_at",
    },
    "spending": {"budget", "subject", "day", "micro_usd"},
    "remote_leftovers": {"request_id", "provider", "remote_id", "call_id", "asked_at", "left_at", "due_at"},
}  # fmt: skip
"""What outlives a document, column by column: ids, times, amounts, hashes that say nothing by themselves. The scan
counts a `request_id` that is still there. Who adds a column here says so: does it tell what a document held?"""


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with psycopg.connect(database_url, autocommit=True) as made:
        yield made


def tables(connection: Connection) -> dict[str, set[str]]:
    rows = connection.execute(
        "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns"
        " JOIN information_schema.tables USING (table_schema, table_name)"
        " WHERE table_schema = 'upload_pipeline' AND table_type = 'BASE TABLE' GROUP BY table_name"
    )
    return {table: set(columns) for table, columns in rows}


def traces(connection: Connection, document_id: UUID) -> dict[str, int]:
    return dict(connection.execute("SELECT * FROM upload_pipeline.traces_of(%s)", [document_id]).fetchall())


def test_every_table_names_its_documents_or_is_about_none(connection: Connection) -> None:
    without = {table for table, columns in tables(connection).items() if "document_id" not in columns}
    assert without == ABOUT_NO_DOCUMENT | SUMS_ONLY | OF_PROVIDERS


def test_what_outlives_a_document_is_known_column_by_column(connection: Connection) -> None:
    found = tables(connection)
    assert {table: found[table] for table in KEPT} == KEPT


def test_every_other_table_loses_its_rows_with_the_document(connection: Connection) -> None:
    rows = connection.execute(
        "SELECT conrelid::regclass::text FROM pg_constraint"
        " WHERE confrelid = 'upload_pipeline.documents'::regclass AND contype = 'f' AND confdeltype = 'c'"
    )
    cascading = {name.removeprefix("upload_pipeline.") for (name,) in rows}
    assert cascading == set(tables(connection)) - set(KEPT) - ABOUT_NO_DOCUMENT - {"documents"}


def test_a_table_that_is_made_later_is_scanned_too(connection: Connection) -> None:
    document_id = uuid4()
    assert traces(connection, document_id) == {}
    connection.execute("CREATE TABLE upload_pipeline.notes (document_id uuid, note text)")
    connection.execute("INSERT INTO upload_pipeline.notes VALUES (%s, 'Zebra'), (%s, 'x')", [document_id, uuid4()])
    assert traces(connection, document_id) == {"notes": 1}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE upload_pipeline.events SET actor = 'nobody'",
        "DELETE FROM upload_pipeline.events",
        "TRUNCATE upload_pipeline.events",
        "INSERT INTO upload_pipeline.events OVERRIDING SYSTEM VALUE SELECT * FROM upload_pipeline.events"
        " ON CONFLICT (event_id) DO UPDATE SET actor = 'nobody'",
    ],
)
@pytest.mark.parametrize("mode", ["origin", "replica"])
def test_events_are_never_rewritten_not_even_by_their_owner(connection: Connection, change: str, mode: str) -> None:
    connection.execute(
        "INSERT INTO upload_pipeline.events (document_id, job_id, user_id, version, stage, state, actor)"
        " VALUES (gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 1, 'queued', 'queued', 'test')"
    )
    connection.execute(f"SET session_replication_role = {mode}".encode())
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match=r"upload_pipeline\.events is append-only: \w+ is"):
        connection.execute(change.encode())
    assert connection.execute("SELECT actor FROM upload_pipeline.events").fetchall() == [("test",)]
