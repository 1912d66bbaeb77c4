"""Numbered SQL files, each applied once, in order, under one lock; an applied file must never change."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg
from psycopg import Connection, sql

from ingest_assets.adapters.postgres.database import Row, connected
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.roles import Role
from ingest_assets.shipped import shipped

OLDEST_POSTGRES = 15
OLDEST_PGVECTOR = (0, 8)


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    statements: bytes

    @property
    def checksum(self) -> str:
        return sha256(self.statements).hexdigest()

    @property
    def transactional(self) -> bool:
        """Whether the file runs in a transaction; statements such as CREATE INDEX CONCURRENTLY refuse one."""
        return not self.statements.startswith(b"-- no-transaction")


def migrations(folder: Path | None = None) -> list[Migration]:
    folder = folder or shipped("sql") / "migrations"
    return [Migration(path.stem, path.read_bytes()) for path in sorted(folder.glob("[0-9]*.sql"))]


def migrate(url: str, wanted: list[Migration] | None = None) -> list[str]:
    """Apply what is missing and return the names of what was applied.

    Raises:
        PermanentError: database_too_old, pgvector_missing, migration_changed or role_denied.
        TransientError: database_unreachable.
    """
    with connected(url) as connection:
        check_server(connection)
        with _migration_lock(connection):
            pending = _pending(connection, wanted if wanted is not None else migrations())
            _make_roles(connection, migrating=bool(pending))
            for migration in pending:
                _apply(connection, migration)
    return [migration.name for migration in pending]


def create_database(url: str) -> bool:
    """Create the database that `url` names if it is missing, and return whether this was needed."""
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    with connected(urlunsplit(parts._replace(path="/postgres"))) as connection:
        if connection.execute(query("find_database"), {"name": name}).fetchone():
            return False
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except psycopg.errors.DuplicateDatabase:
            return False
    return True


def pending(url: str) -> list[str]:
    """Return the names of what `migrate` would apply, without applying it."""
    with connected(url) as connection:
        check_server(connection)
        return [migration.name for migration in _pending(connection, migrations())]


def check_server(connection: Connection[Row]) -> None:
    """Check the versions of the server and of pgvector.

    Raises:
        PermanentError: database_too_old or pgvector_missing.
    """
    major = connection.info.server_version // 10_000
    if major < OLDEST_POSTGRES:
        raise PermanentError("database_too_old", found=major, needed=OLDEST_POSTGRES)
    row = connection.execute(query("available_pgvector")).fetchone()
    version = tuple(int(part) for part in row["version"].split(".")[:2]) if row and row["version"] else (0,)
    if version < OLDEST_PGVECTOR:
        raise PermanentError("pgvector_missing", needed=".".join(map(str, OLDEST_PGVECTOR)))


@contextmanager
def _migration_lock(connection: Connection[Row]) -> Iterator[None]:
    connection.execute(query("lock_migrations"))
    try:
        yield
    finally:
        connection.execute(query("unlock_migrations"))


def _make_roles(connection: Connection[Row], *, migrating: bool) -> None:
    [found] = connection.execute(query("missing_roles"))
    if not (migrating or found["missing"]):
        return
    try:
        connection.execute((shipped("sql") / "roles.sql").read_bytes())
    except psycopg.errors.InsufficientPrivilege:
        raise PermanentError("role_denied", role=Role.OWNER) from None


def _pending(connection: Connection[Row], wanted: list[Migration]) -> list[Migration]:
    applied = _applied(connection)
    for migration in wanted:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise PermanentError("migration_changed", name=migration.name)
    return [migration for migration in wanted if migration.name not in applied]


def _applied(connection: Connection[Row]) -> dict[str, str]:
    try:
        rows = connection.execute(query("applied_migrations")).fetchall()
    except psycopg.errors.UndefinedTable:
        return {}
    except psycopg.errors.InsufficientPrivilege:
        raise PermanentError("role_denied", role=Role.WORKER) from None
    return {row["name"]: row["checksum"] for row in rows}


def _apply(connection: Connection[Row], migration: Migration) -> None:
    record = {"name": migration.name, "checksum": migration.checksum}
    with connection.transaction() if migration.transactional else nullcontext():
        connection.execute(query("become_owner"), {"for_transaction": migration.transactional})
        connection.execute(migration.statements)
        connection.execute(query("record_migration"), record)
    connection.execute("RESET ROLE")
