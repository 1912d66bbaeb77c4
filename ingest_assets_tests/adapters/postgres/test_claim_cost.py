"""What a claim reads, in blocks: it must not grow with the queue, whoever's documents wait in it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.queue.backlog import PostgresBacklog
from ingest_assets.adapters.postgres.queue.claims import PostgresClaims
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.stages import State
from ingest_assets_tests.queue_rows import QueueRow, fill, several

LIMIT = 10
MOST_BLOCKS = 600
"""A claim of ten reads 200 to 400, writing included; looking up every job of these queues, 8,000."""
NAMES = {
    "after": uuid4(),
    "limit": LIMIT,
    "retries_only": False,
    "light_only": False,
    "light_bytes": 1 << 20,
    "slow_codes": ["timeout"],
    "per_user": None,
    "lane": None,
    "claim": "worker",
    "lease": timedelta(seconds=30),
}
ALL_WORK = [QueueRow(UserId(uuid4()), State.WORKING) for _ in range(4000)]
NOBODY_WAITS = [QueueRow(UserId(uuid4()), State.DONE) for _ in range(4000)]
QUEUES = {
    "one user": several(8000, UserId(uuid4())),
    "a user each": [QueueRow(UserId(uuid4())) for _ in range(8000)],
    "ten users": [row for number in range(10) for row in several(800, UserId(UUID(int=number)))],
    "hardly anything to claim": [*NOBODY_WAITS, *several(20, UserId(uuid4()))],
    "others are at work": [*ALL_WORK, *several(20, UserId(uuid4()))],
    "retries for tomorrow": [
        *several(LIMIT, UserId(UUID(int=1))),
        *(QueueRow(UserId(UUID(int=2)), State.RETRYABLE, due_in=timedelta(days=1)) for _ in range(4000)),
        *(QueueRow(UserId(uuid4()), State.RETRYABLE, due_in=timedelta(days=1)) for _ in range(4000)),
    ],
}


def explained(connection: psycopg.Connection[dict[str, Any]], name: str, **changes: Any) -> dict[str, Any]:
    """The plan that was executed, with what it read; what it wrote is undone."""
    statement = b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + query(name)
    row = connection.execute(statement, NAMES | changes).fetchone()
    connection.rollback()
    assert row is not None
    return dict(row["QUERY PLAN"][0]["Plan"])


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def rows_read(database: Database) -> int:
    """How many jobs all statements so far have looked at."""
    with database.connection() as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        row = connection.execute(
            "SELECT seq_tup_read + idx_tup_fetch AS rows FROM pg_stat_user_tables WHERE relname = 'upload_jobs'"
        ).fetchone()
    assert row is not None
    return int(row["rows"])


def test_a_worker_that_began_with_a_small_queue_claims_as_cheaply_from_a_large_one(database_url: str) -> None:
    database = Database(database_url, connections=1)
    claims, backlog = PostgresClaims(database), PostgresBacklog(database)
    fill(database_url, several(30, UserId(uuid4())))
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE upload_pipeline.upload_jobs SET (autovacuum_enabled = false)")
        connection.execute("VACUUM ANALYZE upload_pipeline.upload_jobs, upload_pipeline.documents")
    for _ in range(12):
        claims.claim("worker", LIMIT, timedelta(seconds=30))
        backlog.waiting(LIMIT)
    fill(database_url, QUEUES["a user each"])
    before = rows_read(database)
    assert len(claims.claim("worker", LIMIT, timedelta(seconds=30))) == LIMIT
    assert backlog.waiting(LIMIT) == LIMIT
    assert rows_read(database) - before < MOST_BLOCKS
    database.close()


@pytest.mark.parametrize("queue", QUEUES)
def test_a_claim_stays_on_its_indexes(database_url: str, queue: str) -> None:
    fill(database_url, QUEUES[queue])
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        connection.execute("ANALYZE upload_pipeline.upload_jobs, upload_pipeline.documents")
        connection.commit()
        connection.execute("SET ROLE ingest_worker")
        explained(connection, "claim_jobs")  # which reads the catalogue
        for name, changes in (
            ("claim_jobs", {}),
            ("claim_jobs", {"per_user": 3}),
            ("claim_jobs", {"light_only": True}),
            ("claim_jobs", {"lane": "parse"}),
            ("claim_jobs", {"lane": "parse", "light_only": True}),
            ("claim_jobs", {"lane": "embed"}),
            ("count_waiting", {}),
            ("count_waiting", {"lane": "parse"}),
            ("count_waiting", {"lane": "embed"}),  # where nothing waits, beside all that waits in the other lane
        ):
            plan = explained(connection, name, **changes)
            read = [node for node in nodes(plan) if node.get("Relation Name") in ("upload_jobs", "documents")]
            kinds = {node["Node Type"] for node in read} - {"ModifyTable"}
            assert kinds <= {"Index Scan", "Index Only Scan"}, kinds
            assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < MOST_BLOCKS
