"""Connections to Postgres: pooled, in autocommit, with pgvector's types registered."""

import logging
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
from pgvector.psycopg import register_vector
from psycopg import Connection
from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from ingest_assets.adapters.postgres.connections import WORKER, KeepingConnection, Row
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.sessions import LIMITS, SessionLimits, with_network_limits
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import IngestError, OutageError, ResourceError
from ingest_assets.domain.roles import Role
from ingest_assets.domain.schema import check_schema
from ingest_assets.shipped import known_migrations

BROKEN = (psycopg.OperationalError, psycopg.InterfaceError, psycopg.errors.IdleInTransactionSessionTimeout)
"""What a statement meets that the server could not carry out, or whose answer did not come."""
GONE = ("08", "57P", "25P03", "53300")
"""How the states begin in which a server takes no more statements of a session; without a state, it did not answer."""

OTHER_SCHEMA = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.InvalidSchemaName,
)
"""What statements meet in a schema that is not the one that they were written for."""

ROLE_MISSING = re.compile(r'role "ingest_[a-z]+" does not exist')
"""How a server refuses the logins of this system before the first migration; the driver gives no code for it."""

REFUSED = re.compile(
    r"FATAL: .*(authentication failed|does not exist|no pg_hba\.conf entry|permission denied)|no password"
)
"""How a server that answers lets nobody in; here, too, the driver gives no code."""

CERTIFICATE_REFUSED = re.compile(r"certificate verify failed|server certificate for|root certificate file")
"""How the driver refuses a server whose certificate is not that of whom the URL names."""

SUSPICIOUS_SECONDS = 0.5
"""After this time without a connection, ask the server why."""

TRUSTED_SECONDS = 1.0
"""How long after its last use a connection counts as alive; a query on a dead one raises database_unreachable."""

# The driver's warnings name hosts and users, and appear when a worker is interrupted in the middle of a statement.
logging.getLogger("psycopg").setLevel(logging.ERROR)


class PooledConnection(KeepingConnection):
    used_at = 0.0
    refusal: IngestError | None = None
    """Why the connection is of no use, if it is not."""


class Database:
    """A pool that opens on first use; its connections act as ingest_worker, whatever user they log in as.

    Raises:
        OutageError: database_unreachable, database_read_only, schema_outdated or role_denied.
        ResourceError: schema_newer.
        ResourceError: database_locked or database_slow, if a statement takes longer than the limits allow, or
            database_failed.
    """

    def __init__(
        self,
        url: str,
        *,
        connections: int = 8,
        patience: float = 10.0,
        limits: SessionLimits = LIMITS[Role.WORKER],
    ) -> None:
        self.url = url
        self._limits = limits
        self._refused = 0
        """How many connections were refused when the server was last asked why."""
        self._pool: ConnectionPool[PooledConnection] = ConnectionPool(
            with_network_limits(url),
            connection_class=PooledConnection,
            kwargs={"row_factory": dict_row, "autocommit": True},
            configure=self._configure,
            min_size=0,
            max_size=connections,
            timeout=patience,
            reconnect_timeout=patience,
            open=False,
            check=self._check,
        )

    @contextmanager
    def connection(self) -> Iterator[KeepingConnection]:
        """Yield a connection in autocommit: each statement is its own transaction."""
        with translated_errors(self._limits):
            self._pool.open()
            connection = self._take()
            try:
                with connection, _checked(connection):
                    yield connection
            finally:
                self._pool.putconn(connection)

    def _take(self) -> PooledConnection:
        """Take a connection out of the pool, which would only say that it has none, not why the server refuses it."""
        try:
            return self._pool.getconn(SUSPICIOUS_SECONDS)
        except PoolTimeout:
            refused = self._pool.get_stats().get("connections_errors", 0)
            if refused > self._refused:
                self._refused = refused
                _ask_why(self.url)
            try:
                return self._pool.getconn()
            except PoolTimeout:  # what it was refused for may have been asked before
                _ask_why(self.url)
                raise

    @contextmanager
    def transaction(self) -> Iterator[KeepingConnection]:
        with self.connection() as connection, connection.transaction():
            yield connection

    def as_seen_by(self, user_id: UserId) -> "UserDatabase":
        return UserDatabase(self, user_id)

    def statistics(self) -> dict[str, int]:
        """Return what the pool says of itself."""
        return self._pool.get_stats()

    def close(self) -> None:
        self._pool.close()

    def _check(self, connection: PooledConnection) -> None:
        now = time.monotonic()
        if connection.refusal is not None:  # somebody may have migrated meanwhile
            self._configure(connection)
        elif now - connection.used_at > TRUSTED_SECONDS:
            ConnectionPool.check_connection(connection)
        connection.used_at = now

    def _configure(self, connection: PooledConnection) -> None:
        connection.refusal = None
        try:
            connection.look_around()
            connection.keep({**self._limits.settings(), **connection.search_path})
            register_vector(connection)
            check_schema(_act_as_worker(connection), known_migrations())
        except IngestError as refusal:
            connection.refusal = refusal
        except psycopg.errors.InsufficientPrivilege:
            connection.refusal = _denied(connection)
        except (psycopg.ProgrammingError, psycopg.errors.InvalidParameterValue):  # the type, role or table is missing
            connection.refusal = OutageError("schema_outdated")


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
                connection.begin({"user_id": str(self._user_id)}, "begin_reading", "become_reader", *settings)
                yield connection
            except BaseException:
                connection.rollback()
                raise
            connection.commit()


def assure_session(connection: Connection[Row]) -> None:
    """Assure that a session with its locks is still there, within a block of `Database`."""
    # A prepared statement would leave a snapshot behind, for which the concurrent build of an index would wait.
    connection.execute(query("still_there"), prepare=False)


@contextmanager
def connected(url: str) -> Iterator[KeepingConnection]:
    """Yield one connection outside our own pools, in autocommit, without pgvector's types, with the owner's limits."""
    limits = LIMITS[Role.OWNER]
    with (
        translated_errors(limits),
        KeepingConnection.connect(with_network_limits(url), autocommit=True, row_factory=dict_row) as connection,
    ):
        connection.look_around()
        connection.keep({**limits.settings(), **connection.search_path})
        yield connection


@contextmanager
def translated_errors(limits: SessionLimits) -> Iterator[None]:
    """Turn the driver's errors into errors of the catalogue, without their messages, which may name hosts and users."""
    try:
        yield
    except psycopg.errors.DiskFull:
        raise OutageError("storage_full") from None
    except psycopg.errors.ReadOnlySqlTransaction:
        raise OutageError("database_read_only") from None
    except psycopg.errors.LockNotAvailable:
        raise ResourceError("database_locked", seconds=_seconds(limits.lock)) from None
    except psycopg.errors.QueryCanceled:
        raise ResourceError("database_slow", seconds=_seconds(limits.statement)) from None
    except BROKEN as error:
        raise _translated(error) from None
    except PoolTimeout:
        raise OutageError("database_unreachable") from None
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        raise OutageError("schema_outdated") from None


def _translated(error: psycopg.Error) -> IngestError:
    if ROLE_MISSING.search(str(error)):
        return OutageError("schema_outdated")
    if CERTIFICATE_REFUSED.search(str(error)):
        return OutageError("database_untrusted")
    if error.sqlstate is None and REFUSED.search(str(error)):
        return OutageError("database_refused")
    if error.sqlstate is None or error.sqlstate.startswith(GONE):
        return OutageError("database_unreachable")
    return ResourceError("database_failed", found=error.sqlstate)


def _ask_why(url: str) -> None:
    """Raise why there is no connection, if a server has refused it; do nothing else."""
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError as error:
        if any(reason.search(str(error)) for reason in (ROLE_MISSING, CERTIFICATE_REFUSED, REFUSED)):
            raise


@contextmanager
def _checked(connection: PooledConnection) -> Iterator[None]:
    """Refuse a connection that is of no use, and find out whether a failed statement was written for another schema."""
    if connection.refusal is not None:
        raise connection.refusal
    try:
        yield
    except OTHER_SCHEMA:
        check_schema(_act_as_worker(connection), known_migrations())
        raise


def _seconds(limit: timedelta | None) -> float:
    return limit.total_seconds() if limit is not None else 0


def _act_as_worker(connection: PooledConnection) -> set[str]:
    """Take on the worker's role and return the names of the migrations that made the schema."""
    connection.keep(WORKER)
    return {row["name"] for row in connection.execute(query("applied_migrations"))}


def _denied(connection: PooledConnection) -> IngestError:
    """Return why the login lacks a right: old schemas give none to the worker."""
    row = connection.execute(query("may_act_as"), {"role": Role.WORKER}).fetchone()
    return OutageError("schema_outdated") if row and row["may"] else OutageError("role_denied", role=Role.WORKER)
