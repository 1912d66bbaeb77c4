"""Connections to Postgres: pooled, in autocommit, with pgvector's types registered."""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from pgvector.psycopg import register_vector
from psycopg import Connection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError, ResourceError, TransientError
from ingest_assets.domain.roles import Role

Row = DictRow

UNREACHABLE = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.IdleInTransactionSessionTimeout)

TRUSTED_SECONDS = 1.0
"""How long after its last use a connection counts as alive; a query on a dead one raises database_unreachable."""

# The driver's warnings name hosts and users, and appear when a worker is interrupted in the middle of a statement.
logging.getLogger("psycopg").setLevel(logging.ERROR)


class PooledConnection(Connection[Row]):
    used_at = 0.0
    refusal: PermanentError | None = None
    """Why the connection is of no use, if it is not."""


class Database:
    """A pool that opens on first use; its connections act as ingest_worker, whatever user they log in as.

    Raises:
        PermanentError: database_not_migrated or role_denied.
        TransientError: database_unreachable, if the server does not answer.
    """

    def __init__(self, url: str, *, connections: int = 8, patience: float = 10.0) -> None:
        self.url = url
        self._pool: ConnectionPool[PooledConnection] = ConnectionPool(
            url,
            connection_class=PooledConnection,
            kwargs={"row_factory": dict_row, "autocommit": True},
            configure=_configure,
            min_size=0,
            max_size=connections,
            timeout=patience,
            reconnect_timeout=patience,
            open=False,
            check=_check,
        )

    @contextmanager
    def connection(self) -> Iterator[Connection[Row]]:
        """Yield a connection in autocommit: each statement is its own transaction."""
        with translated_errors():
            self._pool.open()
            with self._pool.connection() as connection:
                if connection.refusal is not None:
                    raise connection.refusal
                yield connection

    @contextmanager
    def transaction(self) -> Iterator[Connection[Row]]:
        with self.connection() as connection, connection.transaction():
            yield connection

    def as_seen_by(self, user_id: UserId) -> "UserDatabase":
        return UserDatabase(self, user_id)

    def close(self) -> None:
        self._pool.close()


class UserDatabase:
    """What one user may see, by the server's row-level security; for reading only."""

    def __init__(self, database: Database, user_id: UserId) -> None:
        self._database = database
        self._user_id = user_id

    @contextmanager
    def connection(self, *settings: str) -> Iterator[Connection[Row]]:
        """Yield a connection in a transaction; when it ends, the connection no longer acts for the user.

        Args:
            settings: Names of queries that set something until the transaction ends. They are sent together with its
                begin, because each wait for the server costs more than the statement.
        """
        with self._database.connection() as connection:
            try:
                cursor = psycopg.ClientCursor(connection)
                cursor.execute(query("begin_reading", "become_reader", *settings), {"user_id": str(self._user_id)})
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()


@contextmanager
def connected(url: str) -> Iterator[Connection[Row]]:
    """Yield one connection outside any pool, in autocommit, without pgvector's types."""
    with (
        translated_errors(),
        psycopg.connect(url, connect_timeout=10, autocommit=True, row_factory=dict_row) as connection,
    ):
        yield connection


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the driver's errors into errors of the catalogue, without their messages, which may name hosts and users."""
    try:
        yield
    except psycopg.errors.DiskFull:
        raise ResourceError("storage_full") from None
    except (*UNREACHABLE, PoolTimeout):
        raise TransientError("database_unreachable") from None
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        raise PermanentError("database_not_migrated") from None


def _check(connection: PooledConnection) -> None:
    now = time.monotonic()
    if now - connection.used_at > TRUSTED_SECONDS:
        ConnectionPool.check_connection(connection)
    connection.used_at = now


def _configure(connection: PooledConnection) -> None:
    try:
        register_vector(connection)
        connection.execute(query("act_as_worker"))
    except psycopg.errors.InsufficientPrivilege:
        connection.refusal = PermanentError("role_denied", role=Role.WORKER)
    except psycopg.ProgrammingError:  # the type or the role does not exist
        connection.refusal = PermanentError("database_not_migrated")
