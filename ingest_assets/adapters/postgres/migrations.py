"""Numbered SQL files, each applied once, in order, under one lock; an applied file must never change."""

import re
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg
from psycopg import Connection, sql

from ingest_assets.adapters.postgres.connections import UNLIMITED_LOCKS, KeepingConnection, Row, act_as_owner
from ingest_assets.adapters.postgres.database import connected
from ingest_assets.adapters.postgres.doors import MADE_MEANWHILE, close_doors
from ingest_assets.adapters.postgres.index_builds import telling_of_index_builds
from ingest_assets.adapters.postgres.locks import MIGRATIONS, first_held, held
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.sessions import IDLE_IN_TRANSACTION, LIMITS
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.domain.roles import Role
from ingest_assets.domain.schema import check_not_newer, needed_by_nobody
from ingest_assets.pipeline.telling import Tell, telling_nobody
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

    @property
    def parts(self) -> list[bytes]:
        """What is sent at once, and therefore is one transaction: the whole file, or else each paragraph."""
        return [self.statements] if self.transactional else re.split(rb"\n\n+", self.statements)


def migrations(folder: Path | None = None) -> list[Migration]:
    folder = folder or shipped("sql") / "migrations"
    return [Migration(path.stem, path.read_bytes()) for path in sorted(folder.glob("[0-9]*.sql"))]


def migrate(
    url: str,
    wanted: list[Migration] | None = None,
    *,
    needed_only: bool = False,
    tell: Tell = telling_nobody,
) -> list[str]:
    """Apply what is missing and return the names of what was applied.

    Args:
        url: The database, as its owner or a superuser.
        wanted: All migrations, in order; None for those of this release.
        needed_only: Whether to leave out what would stop older code and is not needed by this one. A schema that
            nobody uses yet gets everything.
        tell: Hears how far the migration that is being applied has come.

    Raises:
        PermanentError: database_too_old, pgvector_missing, pgvector_closed or migration_changed.
        OutageError: role_denied.
        OutageError: database_unreachable.
        ResourceError: schema_newer.
    """
    wanted = wanted if wanted is not None else migrations()
    with connected(url) as connection:
        check_server(connection)
        applied: list[str] = []
        left_out: list[str] = []
        if needed_only and _applied(connection):
            left_out = needed_by_nobody([migration.name for migration in _pending(connection, wanted)])
        told = partial(telling_of_index_builds, url, connection.info.backend_pid, tell)
        if not _has_locks(connection):
            with first_held(url):
                applied += _apply_pending(connection, wanted, left_out, told, until_locks=True)
        if _pending(connection, wanted, left_out):
            with held(url, MIGRATIONS) as assure_lock:
                applied += _apply_pending(connection, wanted, left_out, told, assure_lock)
        [lacks_roles] = connection.execute(query("missing_roles"))
        if lacks_roles["missing"]:  # the database was brought here from another server
            make_roles(connection)
        open_vectors(connection)
        close_doors(connection)
    return applied


def create_database(url: str) -> bool:
    """Create the database that `url` names if it is missing, and return whether this was needed.

    The server ends its sessions that freeze in a transaction, unless it has a limit of its own or is somebody else's.
    """
    parts = urlsplit(url)
    name = unquote(parts.path.lstrip("/"))
    is_new = False
    with connected(urlunsplit(parts._replace(path="/postgres"))) as connection:
        found = connection.execute(query("find_database"), {"name": name}).fetchone()
        if found is None:
            with suppress(*MADE_MEANWHILE):
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
                is_new = True
        if found is None or not found["limits_idle"]:
            with suppress(psycopg.errors.InsufficientPrivilege, *MADE_MEANWHILE):
                connection.execute(_limit_idle(name))
    keep_readers_out(url)
    return is_new


def keep_readers_out(url: str) -> None:
    """Let nobody connect to a database who is not known there, as far as the login may decide this."""
    with connected(url) as connection:
        close_doors(connection, "open_entrances")


def _limit_idle(database: str) -> sql.Composed:
    """Return the statement that gives every session of a database the owner's limit."""
    limit = LIMITS[Role.OWNER].settings()[IDLE_IN_TRANSACTION]
    return sql.SQL("ALTER DATABASE {} SET {} = {}").format(
        sql.Identifier(database), sql.Identifier(IDLE_IN_TRANSACTION), sql.Literal(limit)
    )


def pending(url: str) -> list[str]:
    """Return the names of what `migrate` would apply, without applying it.

    Raises:
        IngestError: As `migrate`.
    """
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


def _has_locks(connection: Connection[Row]) -> bool:
    [row] = connection.execute(query("lock_exists"))
    return bool(row["found"])


def _apply_pending(
    connection: KeepingConnection,
    wanted: list[Migration],
    left_out: Collection[str],
    told: Callable[[str], AbstractContextManager[None]],
    assure_lock: Callable[[], None] = lambda: None,
    *,
    until_locks: bool = False,
) -> list[str]:
    """Apply what is missing, or only what makes the table of locks, and return the names of what was applied."""
    pending = _pending(connection, wanted, left_out)
    if pending:
        make_roles(connection)
        open_vectors(connection)
    applied = []
    for migration in pending:
        if until_locks and _has_locks(connection):
            break
        assure_lock()
        with told(migration.name):
            _apply(connection, migration)
        applied.append(migration.name)
    return applied


def make_roles(connection: Connection[Row]) -> None:
    """Make the roles that the server lacks.

    Raises:
        OutageError: role_denied.
    """
    try:
        connection.execute((shipped("sql") / "roles.sql").read_bytes())
    except psycopg.errors.InsufficientPrivilege:
        raise OutageError("role_denied", role=Role.OWNER) from None


def open_vectors(connection: KeepingConnection, schema: str | None = None) -> str:
    """Have pgvector in the database, where the roles may use it, and return the schema that it is in.

    Args:
        connection: A connection whose login may make extensions, or need not.
        schema: Where it should be if it has to be made; by default, where the server's people keep extensions.

    Raises:
        PermanentError: pgvector_closed.
    """
    try:
        with connection.transaction():
            if connection.execute(query("found_pgvector")).fetchone() is None:
                connection.execute(_making_vectors(connection, schema))
            [found] = connection.execute(query("found_pgvector"))
            if not found["reached"]:
                connection.execute(_opening(found["schema"]))
                [found] = connection.execute(query("found_pgvector"))
    except psycopg.errors.InsufficientPrivilege:
        raise PermanentError("pgvector_closed") from None
    if not found["reached"]:  # a right that cannot be granted is a warning, not an error
        raise PermanentError("pgvector_closed")
    connection.look_around()
    connection.keep(connection.search_path)
    return str(found["schema"])


def _making_vectors(connection: KeepingConnection, schema: str | None) -> sql.Composed:
    if schema is None:
        usual = connection.execute(query("schema_for_pgvector")).fetchone()
        schema = "public" if usual is None else str(usual["schema"])
    return sql.SQL("CREATE SCHEMA IF NOT EXISTS {0}; CREATE EXTENSION IF NOT EXISTS vector SCHEMA {0}").format(
        sql.Identifier(schema)
    )


def _opening(schema: str) -> sql.Composed:
    roles = sql.SQL(", ").join(map(sql.Identifier, Role))
    return sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(sql.Identifier(schema), roles)


def _pending(connection: Connection[Row], wanted: list[Migration], left_out: Collection[str] = ()) -> list[Migration]:
    applied = _applied(connection)
    check_not_newer(applied, [migration.name for migration in wanted])
    for migration in wanted:
        if applied.get(migration.name, migration.checksum) != migration.checksum:
            raise PermanentError("migration_changed", name=migration.name)
    return [migration for migration in wanted if migration.name not in {*applied, *left_out}]


def _applied(connection: Connection[Row]) -> dict[str, str]:
    try:
        rows = connection.execute(query("applied_migrations")).fetchall()
    except psycopg.errors.UndefinedTable:
        return {}
    except psycopg.errors.InsufficientPrivilege:
        raise OutageError("role_denied", role=Role.WORKER) from None
    return {row["name"]: row["checksum"] for row in rows}


def _apply(connection: KeepingConnection, migration: Migration) -> None:
    record = {"name": migration.name, "checksum": migration.checksum}
    with connection.transaction() if migration.transactional else nullcontext():
        if not migration.transactional:
            connection.keep(UNLIMITED_LOCKS)
        if not act_as_owner(connection, for_transaction=migration.transactional):
            connection.execute(query("let_owner_in"))
        for part in migration.parts:
            _apply_part(connection, part)
        connection.execute(query("record_migration"), record)
    connection.keep({"role": "none", **LIMITS[Role.OWNER].settings()})


def _apply_part(connection: KeepingConnection, part: bytes) -> None:
    if b" CONCURRENTLY " in part:
        connection.execute_alone(part)
        return
    with connection.transaction():
        connection.execute(part)
        if connection.is_pooled:  # what a migration sets for its session must not stay for the pooler's other clients
            connection.execute("RESET lock_timeout")
