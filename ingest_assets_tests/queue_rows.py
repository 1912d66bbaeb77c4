"""Jobs in any state and number, put into the queue without their files."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import psycopg

from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.stages import State

COLUMNS = """(
    SELECT * FROM unnest(%(job_id)s::uuid[], %(user_id)s::uuid[], %(state)s::text[], %(priority)s::integer[],
        %(age)s::interval[], %(due_in)s::interval[]) AS row (job_id, user_id, state, priority, age, due_in)
) AS row"""
DOCUMENTS = f"""
INSERT INTO upload_pipeline.documents (document_id, user_id, filename, media_type, byte_size, content_sha)
SELECT job_id, user_id, 'a.md', 'text/markdown', 1, repeat('a', 64) FROM {COLUMNS}"""  # noqa: S608
JOBS = f"""
INSERT INTO upload_pipeline.upload_jobs (job_id, document_id, user_id, version, stage, state, priority, queued_at,
    next_retry_at, error_code, finished_at, claimed_by, lease_expires_at)
SELECT job_id, job_id, user_id, 1, CASE state WHEN 'done' THEN 'embedded' ELSE 'queued' END, state, priority,
    now() - age,
    CASE state WHEN 'retryable' THEN now() + due_in END,
    CASE WHEN state IN ('retryable', 'deadletter') THEN 'storage_failed' END,
    CASE state WHEN 'done' THEN now() END,
    CASE state WHEN 'working' THEN 'somebody' END, CASE state WHEN 'working' THEN now() + interval '1 hour' END
FROM {COLUMNS}"""  # noqa: S608


@dataclass(frozen=True)
class QueueRow:
    """One document's job; both have the same id."""

    user_id: UserId
    state: State = State.QUEUED
    priority: int = 0
    age: timedelta = timedelta(0)
    due_in: timedelta = timedelta(0)
    """Of a waiting retry."""
    job_id: UUID = field(default_factory=uuid4)


def fill(url: str, rows: Iterable[QueueRow]) -> None:
    columns = [asdict(row) for row in rows]
    names = {name: [row[name] for row in columns] for name in columns[0]} if columns else {}
    with psycopg.connect(url) as connection:
        if columns:
            connection.execute(DOCUMENTS.encode(), names)
            connection.execute(JOBS.encode(), names)


def empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM upload_pipeline.documents")


def several(count: int, user_id: UserId) -> list[QueueRow]:
    """Queued jobs, oldest first."""
    return [QueueRow(user_id, age=timedelta(hours=2) - timedelta(milliseconds=number)) for number in range(count)]
