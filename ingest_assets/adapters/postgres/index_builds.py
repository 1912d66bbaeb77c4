"""How far the build of an index has come. The session that builds it cannot be asked, so another one looks."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.rows import dict_row

from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.sessions import with_network_limits
from ingest_assets.pipeline.telling import Tell

LOOK_SECONDS = 1.0


@contextmanager
def telling_of_index_builds(url: str, process: int, tell: Tell, work: str) -> Iterator[None]:
    """Tell of some work, and how far its builds of indexes have come while the block runs.

    Args:
        url: The database.
        process: The process id of the session that works.
        tell: Hears the work's name, and the blocks or entries done, and of how many.
        work: The name.
    """
    tell(work, 0, 0)
    ended = threading.Event()
    looking = threading.Thread(target=_look, args=(url, process, tell, work, ended), name="index builds", daemon=True)
    looking.start()
    try:
        yield
    finally:
        ended.set()
        looking.join(LOOK_SECONDS)  # one that cannot reach the server ends by itself


def _look(url: str, process: int, tell: Tell, work: str, ended: threading.Event) -> None:
    if ended.wait(LOOK_SECONDS):
        return
    try:
        with psycopg.connect(with_network_limits(url), autocommit=True, row_factory=dict_row) as watching:
            while not ended.wait(LOOK_SECONDS):
                for build in watching.execute(query("index_build"), {"pid": process}):
                    tell(work, build["done"], build["total"])
    except psycopg.Error:  # the work goes on, whether or not anybody hears of it
        return
