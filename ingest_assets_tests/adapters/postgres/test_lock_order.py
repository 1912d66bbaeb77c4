"""Statements about several jobs never wait for each other in a circle, and one long commit holds up no other lease."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import psycopg
import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.queue.jobs import Job
from ingest_assets_tests.documents import submit
from ingest_assets_tests.waiting import until

LEASE = timedelta(seconds=30)
SECONDS = 60
LOCK = "SELECT FROM upload_pipeline.upload_jobs WHERE job_id = %s FOR UPDATE NOWAIT"
WAITING = "SELECT FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple')"


def held_jobs(deployment: Deployment, user: UserId) -> list[Job]:
    """Return claimed jobs, those with higher ids first; they lie in the table in any order but that of their ids."""
    held: list[Job] = []
    while held == sorted(held, key=lambda job: job.job_id):
        submit(deployment, user, f"Note {len(held)}.", f"{len(held)}.txt")
        held += deployment.claims.claim("worker", 1, LEASE)
    return sorted(held, key=lambda job: job.job_id, reverse=True)


@pytest.mark.parametrize(
    "change",
    [lambda each, jobs: each.claims.begin(jobs), lambda each, _: each.claims.release("worker")],
    ids=["begin", "release"],
)
def test_jobs_are_locked_by_id(
    deployment: Deployment, user: UserId, change: Callable[[Deployment, Sequence[Job]], object]
) -> None:
    *others, lowest = held_jobs(deployment, user)
    with (
        ThreadPoolExecutor(1) as beside,
        psycopg.connect(deployment.database_url) as writer,
        psycopg.connect(deployment.database_url, autocommit=True) as watch,
    ):
        writer.execute(LOCK, [lowest.job_id])
        changed = beside.submit(change, deployment, [*others, lowest])
        until(lambda: watch.execute(WAITING).fetchone() is not None, SECONDS)
        for job in others:
            writer.execute(LOCK, [job.job_id])  # raises if the statement has locked it before the lowest
        writer.rollback()
        changed.result(SECONDS)


def test_a_job_that_is_being_written_holds_up_no_other_lease(deployment: Deployment, user: UserId) -> None:
    held = held_jobs(deployment, user)
    with ThreadPoolExecutor(1) as beside, psycopg.connect(deployment.database_url) as writer:
        writer.execute(LOCK, [held[0].job_id])
        renewed = beside.submit(deployment.claims.renew, "worker", LEASE)
        try:
            assert renewed.result(5) == len(held) - 1
        finally:
            writer.rollback()
