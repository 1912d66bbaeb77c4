"""Locks by name: rows that only the pipeline may lock. Advisory locks would be anybody's who may connect."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress

import psycopg
from psycopg import Connection

from ingest_assets.adapters.postgres.connections import Row, act_as_owner
from ingest_assets.adapters.postgres.database import BROKEN, assure_session, connected
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import OutageError
from ingest_assets.domain.roles import Role

CLAIMS = "claims"
INSTANCES = "instances"
MIGRATIONS = "migrations"
VECTOR_INDEXES = "vector indexes"
REPEATED_CALLBACKS = "repeated callbacks"

PAUSE_SECONDS = 0.1
"""How long to wait before another try."""

Assure = Callable[[], None]
"""Fails if the session that holds a lock is gone, and the lock with it. The lock may go at any later moment."""


def intake_of(user_id: UserId) -> str:
    """Return the name of the lock under which one intake of a user runs at a time."""
    return f"intake {user_id}"


def lock(connection: Connection[Row], name: str) -> None:
    """Take a lock until the connection's transaction ends."""
    connection.execute(query("take_lock"), {"lock": name})


@contextmanager
def held(url: str, name: str) -> Iterator[Assure]:
    """Hold a lock for what runs outside a transaction: another session takes it, and ends with this block.

    It tries again and again, each time in a transaction of its own: the concurrent build of an index by whoever has the
    lock waits for the end of every transaction in which it meets a statement.

    Raises:
        OutageError: role_denied.
    """
    with _holder(url, name) as holder:
        while not _takes(holder, name):
            time.sleep(PAUSE_SECONDS)
        yield lambda: assure_session(holder)


@contextmanager
def held_if_free(url: str, name: str) -> Iterator[Assure | None]:
    """Hold a lock as `held` does, or yield None if somebody else has it."""
    with _holder(url, name) as holder:
        yield (lambda: assure_session(holder)) if _takes(holder, name) else None


@contextmanager
def first_held(url: str) -> Iterator[None]:
    """Hold the lock of migrations as `held` does, while the schema has no table of locks yet."""
    with connected(url) as holder:
        holder.autocommit = False
        while not _succeeds(holder, "try_first_lock", {}):
            time.sleep(PAUSE_SECONDS)
        yield
        with suppress(*BROKEN):
            holder.rollback()


@contextmanager
def _holder(url: str, name: str) -> Iterator[Connection[Row]]:
    with connected(url) as holder:
        try:
            act_as_owner(holder)
        except psycopg.errors.InsufficientPrivilege:
            raise OutageError("role_denied", role=Role.OWNER) from None
        holder.execute(query("make_lock"), {"lock": name})
        holder.autocommit = False
        try:
            yield holder
        finally:
            with suppress(*BROKEN):  # then the lock is free already
                holder.rollback()


def _takes(holder: Connection[Row], name: str) -> bool:
    return _succeeds(holder, "try_lock", {"lock": name})


def _succeeds(holder: Connection[Row], statement: str, names: Mapping[str, str]) -> bool:
    """Return whether the lock is taken; the transaction stays open only then."""
    holder.execute(query("hold_for_good"))
    is_taken = holder.execute(query(statement), names).rowcount == 1
    if is_taken:
        assure_session(holder)  # ends the statement before, whose snapshot the build of an index would wait for
    else:
        holder.rollback()
    return is_taken
