"""Twenty workers, each with its own connections, on one queue: nothing is lost, and nothing is done twice."""

import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from threading import Barrier
from uuid import UUID

import psycopg
import pytest
from psycopg.rows import DictRow

from ingest_assets.adapters.postgres.queue.backlog import PostgresBacklog
from ingest_assets.adapters.postgres.queue.claims import PostgresClaims
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import ResourceError
from ingest_assets_tests.faults import queue_workers
from ingest_assets_tests.faults.queue_workers import BATCH, LEASE, begin, finish, opened, work_off
from ingest_assets_tests.queue_rows import fill, several

WORKERS = 20
JOBS = 100
VICTIMS = 5
USERS = [UserId(UUID(int=number)) for number in range(1, 5)]


@pytest.fixture
def queue(database_url: str) -> str:
    """The URL of a database where a hundred documents of four users wait."""
    fill(database_url, [row for user in USERS for row in several(JOBS // len(USERS), user)])
    return database_url


def histories(url: str) -> dict[UUID, list[tuple[str, str]]]:
    """Of each job, its states in order and who put it there, each once."""
    found: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    with psycopg.connect(url) as connection:
        events = connection.execute("SELECT job_id, state, actor FROM upload_pipeline.events ORDER BY event_id")
        for job_id, state, actor in events:
            if found[job_id][-1:] != [(state, actor)]:
                found[job_id].append((state, actor))
    return found


def assert_each_was_done_once(url: str, lost: int) -> None:
    """`lost` claims were given back by others; never was a job claimed while somebody had it."""
    told = histories(url)
    assert len(told) == JOBS
    for history in told.values():
        assert [state for state, _ in history].count("done") == 1
        assert history[-1][0] == "done"
        for (before, holder), (after, actor) in pairwise(history):
            assert (before, after) in {("working", "queued"), ("queued", "working"), ("working", "done")}
            assert after != "done" or actor == holder
    assert sum(state == "queued" for history in told.values() for state, _ in history) == lost


def test_twenty_workers_do_a_hundred_jobs_once_although_some_vanish(queue: str) -> None:
    def work(number: int) -> int:
        with opened(queue) as database:
            if number % (WORKERS // VICTIMS):
                return work_off(database, f"worker {number}")
            held = begin(database, f"victim {number}", LEASE)
            all_hold.wait()
            PostgresClaims(database).renew(f"victim {number}", timedelta(0))
            work_off(database, f"worker {number}")
            for job in held:
                with pytest.raises(ResourceError, match="claim_lost"):
                    finish(database, job)
            return -len(held)

    all_hold = Barrier(VICTIMS, timeout=60)
    with ThreadPoolExecutor(WORKERS) as pool:
        finished = list(pool.map(work, range(WORKERS)))
    assert_each_was_done_once(queue, lost=-sum(count for count in finished if count < 0))


def test_twenty_processes_do_a_hundred_jobs_once_although_some_are_killed(queue: str) -> None:
    command = [sys.executable, "-m", queue_workers.__name__, queue, str(WORKERS), str(VICTIMS)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert ran.stderr == ""
    held, *exit_codes = map(int, ran.stdout.split())
    assert exit_codes == [0] * (WORKERS - VICTIMS)
    assert held == VICTIMS * BATCH
    assert_each_was_done_once(queue, lost=held)


def test_no_user_ever_has_more_in_work_than_the_limit(queue: str) -> None:
    limit = 4
    crowded = f"""SELECT user_id, count(*) FROM upload_pipeline.upload_jobs WHERE state = 'working'
        GROUP BY user_id HAVING count(*) > {limit}"""  # noqa: S608

    def work(number: int) -> list[DictRow]:
        seen: list[DictRow] = []
        with opened(queue) as database:
            claims, backlog = PostgresClaims(database, limit), PostgresBacklog(database)
            while backlog.unfinished():
                for job in claims.claim(f"worker {number}", BATCH, LEASE):
                    with database.connection() as connection:
                        seen += connection.execute(crowded.encode()).fetchall()
                    finish(database, job)
        return seen

    with ThreadPoolExecutor(WORKERS) as pool:
        assert [seen for seen in pool.map(work, range(WORKERS)) if seen] == []
    assert_each_was_done_once(queue, lost=0)
