import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial

import psycopg
import pytest

from ingest_assets.adapters.postgres import locks

WAITING = 3

Holding = Callable[[str], AbstractContextManager[object]]


@pytest.mark.parametrize("holding", [locks.first_held, partial(locks.held, name="a name")], ids=["first", "any"])
def test_who_has_the_lock_builds_an_index_concurrently_however_often_others_try(
    database_url: str, monkeypatch: pytest.MonkeyPatch, holding: Holding
) -> None:
    """A build that met another's statement waits for the end of its transaction, and so for ever if that stays open."""
    monkeypatch.setattr(locks, "PAUSE_SECONDS", 0)
    entered = threading.Semaphore(0)

    def wait_for_the_lock() -> None:
        with holding(database_url):
            entered.release()

    with ThreadPoolExecutor(WAITING) as pool:
        with holding(database_url), psycopg.connect(database_url, autocommit=True) as connection:
            waiting = [pool.submit(wait_for_the_lock) for _ in range(WAITING)]
            connection.execute("SET statement_timeout = '10s'")
            for _ in range(20):
                connection.execute("CREATE INDEX CONCURRENTLY late ON upload_pipeline.events (stage)")
                connection.execute("DROP INDEX upload_pipeline.late")
            assert not entered.acquire(blocking=False)
        for each in waiting:
            each.result()
    assert all(entered.acquire(blocking=False) for _ in range(WAITING))
