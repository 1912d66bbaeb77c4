"""What a claim reads, in blocks: it must not grow with the queue, whoever's documents wait in it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents import UserId
from ingest_assets.domain.stages import State
from ingest_assets_tests.queue_rows import QueueRow, fill, several

LIMIT = 10
MOST_BLOCKS = 600
"""A claim of ten reads 200 to 400, writing included; looking up every job of these queues, 8,000."""
PARAMETERS = {
    "after": ("uuid", uuid4()),
    "limit": ("integer", LIMIT),
    "retries_only": ("boolean", False),
    "per_user": ("integer", None),
    "claim": ("text", "worker"),
    "lease": ("interval", timedelta(seconds=30)),
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
    statement = query(name).decode()
    used = [parameter for parameter in PARAMETERS if f"%({parameter})s" in statement]
    for number, parameter in enumerate(used, 1):
        statement = statement.replace(f"%({parameter})s", f"${number}")
    types = ", ".join(PARAMETERS[parameter][0] for parameter in used)
    values = [psycopg.sql.Literal(({"per_user": None} | changes).get(each, PARAMETERS[each][1])) for each in used]
    connection.execute(f"PREPARE asked ({types}) AS {statement}".encode())
    explain = psycopg.sql.SQL("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE asked ({})")
    row = connection.execute(explain.format(psycopg.sql.SQL(", ").join(values))).fetchone()
    connection.rollback()
    connection.execute("DEALLOCATE asked")
    assert row is not None
    return dict(row["QUERY PLAN"][0]["Plan"])


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("queue", QUEUES)
def test_a_claim_stays_on_its_indexes(database_url: str, queue: str, mode: str) -> None:
    fill(database_url, QUEUES[queue])
    with psycopg.connect(database_url, row_factory=dict_row) as connection:
        connection.execute("ANALYZE upload_pipeline.upload_jobs, upload_pipeline.documents")
        connection.execute(f"SET plan_cache_mode = {mode}".encode())
        connection.commit()
        for name, changes in [("claim_jobs", {}), ("claim_jobs", {"per_user": 3}), ("count_waiting", {})]:
            plan = explained(connection, name, **changes)
            read = [node for node in nodes(plan) if node.get("Relation Name") in ("upload_jobs", "documents")]
            kinds = {node["Node Type"] for node in read} - {"ModifyTable"}
            assert kinds <= {"Index Scan", "Index Only Scan"}, kinds
            assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] < MOST_BLOCKS
