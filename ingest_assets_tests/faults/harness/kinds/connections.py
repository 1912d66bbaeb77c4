"""Connections that the server ends in the middle of a statement: one class of statements for each table.

Holding the table's lock makes the next statement on it wait, so the cut hits exactly there, however fast it would be.
"""

import time
from contextlib import suppress
from random import Random

import psycopg
from psycopg import Connection, sql
from psycopg.rows import DictRow

from ingest_assets_tests.faults.harness.deployment.database import ONLOOKER
from ingest_assets_tests.faults.harness.deployment.patient import Patient
from ingest_assets_tests.faults.harness.kinds.fault import Act, Fault, NoTargetError, Struck, Work, at_once
from ingest_assets_tests.statements import name_of

LONGEST_HOLD = 6.0
"""In seconds; held locks themselves are no fault that is meant here."""
TRIES = 4

WAITING = """
SELECT pid, query FROM pg_stat_activity
WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid)) AND application_name <> %(onlooker)s"""

TABLES = (
    ("upload_jobs", Work.BACKLOG),
    ("events", Work.BACKLOG),
    ("documents", Work.BACKLOG),
    ("document_chunk_buffer", Work.BACKLOG),
    ("document_vector_buffer", Work.BACKLOG),
    ("document_chunks", Work.BACKLOG),
    ("paid_calls", Work.BACKLOG),
    ("paid_services", Work.BACKLOG),
    ("parse_jobs", Work.PAGES),
)
DAGSTER_TABLES = ("runs", "event_logs", "job_ticks")


def cut(table: str, database: str = "ingest", schema: str = "upload_pipeline") -> Act:
    """End a connection within a statement on this table."""

    def act(patient: Patient, chance: Random) -> Struck:
        for _ in range(TRIES):
            with suppress(psycopg.OperationalError), patient.database.connection(database) as connection:
                if found := blocked_on(connection, sql.Identifier(schema, table), chance):
                    return at_once(found)
        raise NoTargetError

    return act


def blocked_on(connection: Connection[DictRow], table: sql.Identifier, chance: Random) -> str | None:
    """Lock the table, end one of the connections that wait for it, and return what statement that was."""
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL lock_timeout = '5s'")
        try:
            connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table))
        except psycopg.errors.LockNotAvailable:
            return None
        deadline = time.monotonic() + LONGEST_HOLD
        while time.monotonic() < deadline:
            if waiting := waiting_for(connection):
                row = chance.choice(waiting)
                connection.execute("SELECT pg_terminate_backend(%s)", [row["pid"]])
                return name_of(row["query"])
            time.sleep(0.01)
    return None


def waiting_for(connection: Connection[DictRow]) -> list[DictRow]:
    """Return the connections that wait for a lock of this one, with what they are about to do."""
    connection.execute("SELECT pg_stat_clear_snapshot()")  # else a transaction sees the same statements all the time
    return connection.execute(WAITING, {"onlooker": ONLOOKER}).fetchall()


CUTS = (
    *(Fault(f"cut a statement on {table}", cut(table), work) for table, work in TABLES),
    *(
        Fault(f"cut a statement of Dagster on {table}", cut(table, "dagster", "public"), Work.FEW)
        for table in DAGSTER_TABLES
    ),
)
