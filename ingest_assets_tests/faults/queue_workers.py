"""Workers that take jobs through all stages without working on them, as threads or as processes; some of them die.

python -m ingest_assets_tests.faults.queue_workers URL WORKERS VICTIMS
"""

import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from multiprocessing.connection import Connection

from ingest_assets.adapters.clock import SystemClock
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queue.backlog import PostgresBacklog
from ingest_assets.adapters.postgres.queue.changes import PostgresChanges
from ingest_assets.adapters.postgres.queue.claims import PostgresClaims
from ingest_assets.domain.documents.document import Producer
from ingest_assets.domain.queue.changes import Change, Move, Version
from ingest_assets.domain.queue.jobs import Actor, Job
from ingest_assets.domain.queue.stages import ORDER, Stage

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
    claims, finished = PostgresClaims(database, per_user), 0
    try:
        while PostgresBacklog(database).unfinished():
            claims.reclaim(NEVER_POISON, Actor.of_claim(claim))
            claimed = claims.claim(claim, BATCH, LEASE)
            for job in claimed:
                finish(database, job)
            finished += len(claimed)
            if not claimed:
                time.sleep(0.02)
    finally:
        claims.release(claim)
    return finished


def begin(database: Database, claim: str, lease: timedelta) -> list[Job]:
    """Claims some jobs, and begins with the first."""
    claims = PostgresClaims(database)
    claimed = claims.claim(claim, BATCH, lease)
    for job in claimed[:1]:
        _write(database, job, ORDER[1:3])
    return claimed


def finish(database: Database, job: Job) -> None:
    """Raises ResourceError claim_lost."""
    _write(database, job, ORDER[1:-1])
    _write(database, job, ORDER[-1:], Version(0, Producer("no model", "1")))


def _write(database: Database, job: Job, stages: Sequence[Stage], version: Version | None = None) -> None:
    clock = SystemClock()
    moves = tuple(Move(stage, clock.seconds()) for stage in stages)
    changes = PostgresChanges(database, clock, timedelta(seconds=30))
    changes.write_all([Change(job, moves, version=version)], reported=False)


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
