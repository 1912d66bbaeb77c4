"""Workers that take jobs through all stages without working on them, as threads or as processes; some of them die.

python -m ingest_assets_tests.faults.queue_workers URL WORKERS VICTIMS
"""

import multiprocessing
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection

from ingest_assets.adapters.postgres.jobs import PostgresJobs, require_claim
from psycopg.types.json import Jsonb

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.domain.queue.jobs import Actor, Job
from ingest_assets.domain.queue.stages import ORDER

LEASE = timedelta(minutes=5)
SHORT_LEASE = timedelta(seconds=1)
BATCH = 3
NEVER_POISON = 1000


@contextmanager
def opened(url: str) -> Iterator[Database]:
    database = Database(url, patience=60)
    try:
        yield database
    finally:
        database.close()


def work_off(database: Database, claim: str, per_user: int | None = None) -> int:
    """Finishes jobs until none is unfinished, those included that others lose on the way; how many it finished."""
    jobs, finished = PostgresJobs(database, per_user), 0
    try:
        while jobs.unfinished():
            jobs.reclaim(NEVER_POISON, Actor.of_claim(claim))
            claimed = jobs.claim(claim, BATCH, LEASE)
            for job in claimed:
                finish(database, job)
            finished += len(claimed)
            if not claimed:
                time.sleep(0.02)
    finally:
        jobs.release(claim)
    return finished


def begin(database: Database, claim: str, lease: timedelta) -> list[Job]:
    """Claims some jobs, and begins with the first."""
    jobs = PostgresJobs(database)
    claimed = jobs.claim(claim, BATCH, lease)
    for job in claimed[:1]:
        jobs.advance(job, ORDER[1], ORDER[2])
    return claimed


def finish(database: Database, job: Job) -> None:
    """Raises ResourceError claim_lost."""
    PostgresJobs(database).advance(job, *ORDER[1:-1])
    names = {"job_id": job.job_id, "claim": job.claim, "payload": Jsonb({}), "reported": False}
    with database.connection() as connection:
        require_claim(connection, "finish_job", names)


def _work(url: str, claim: str) -> None:
    with opened(url) as database:
        work_off(database, claim)


def _begin_and_hang(url: str, claim: str, told: Connection) -> None:
    with opened(url) as database:
        told.send(len(begin(database, claim, SHORT_LEASE)))
        time.sleep(LEASE.total_seconds())


def main(url: str, workers: int, victims: int) -> None:
    """Victims are killed once they hold jobs; then the others begin."""
    fork = multiprocessing.get_context("fork")
    telling, told = fork.Pipe()
    hanging = [fork.Process(target=_begin_and_hang, args=(url, f"victim {n}", told)) for n in range(victims)]
    for victim in hanging:
        victim.start()
    held = [telling.recv() for _ in hanging]
    working = [fork.Process(target=_work, args=(url, f"worker {n}")) for n in range(workers - victims)]
    for worker in working:
        worker.start()
    for victim in hanging:
        victim.kill()
    for process in hanging + working:
        process.join()
    sys.stdout.write(" ".join(map(str, [sum(held), *(worker.exitcode for worker in working)])))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
