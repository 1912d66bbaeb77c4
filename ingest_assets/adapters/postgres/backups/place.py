"""The database that a backup is restored into.

pg_restore turns the dump into statements, and psql executes them in one transaction that ends with a mark on the
schema. So the rows are there at once or not at all, and whoever finds the mark goes on behind them.
"""

import re
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO
from uuid import UUID

import psycopg
from psycopg import Connection

from ingest_assets.adapters.postgres.backups.client_programs import ClientPrograms, errors_of
from ingest_assets.adapters.postgres.connections import KeepingConnection, Row, act_as_owner
from ingest_assets.adapters.postgres.database import connected
from ingest_assets.adapters.postgres.migrations import check_server, make_roles, migrate, open_vectors
from ingest_assets.adapters.postgres.poolers import require_own_session
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.rows import columns_of
from ingest_assets.domain.backups import Manifest
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.domain.queue.jobs import Actor
from ingest_assets.domain.roles import Role

MADE_BEFORE = (" SCHEMA - upload_pipeline ", " FUNCTION upload_pipeline current_user_id() ")
"""Lines of the dump's contents that are left out: the schema is made for its owner, the function for this server."""
UNKNOWN_TO_OLD = b"SET transaction_timeout = 0;\n"
"""What newer programs say to every server, also to one older than 17, which refuses it; the default is the same."""
QUIET = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--set=VERBOSITY=sqlstate", "--file=-")
"""An error message may hold a row's values: psql tells the state of an error only."""
HEAD_LINES = 40
END_OF_ROWS = b"\\.\n"
FIRST_VECTOR = re.compile(rb'\bembedding ("(?:[^"]|"")+"|\w+)\.vector\b')
"""Where a dump first names pgvector's schema, from which it has nothing else."""
FINISHING = ("tell_again", "forget_listings", "forget_all_instances", "adopt_store", "unmark_restoring")


class PostgresRestorePlace:
    """One database; `programs` finds those that fit a server's version."""

    def __init__(self, url: str, programs: Callable[[int], ClientPrograms]) -> None:
        self._url = url
        self._programs = programs

    def is_begun(self, manifest: Manifest) -> bool:
        require_own_session(self._url)
        with connected(self._url) as connection:
            check_server(connection)
            server = connection.info.server_version // 10_000
            if server < manifest.server:
                raise PermanentError("server_older_than_backup", found=server, needed=manifest.server)
            absent = connection.execute(query("absent_roles"), {"roles": list(manifest.roles)}).fetchone()
            if absent is not None:
                raise PermanentError("roles_missing", role=absent["role"])
            state = _state(connection)
            if state["mark"] == _mark_of(manifest):
                return True
            if state["found"]:
                _require_empty(connection)
            self._programs(max(server, manifest.tools))
            return False

    def store_id(self) -> UUID | None:
        with connected(self._url) as connection:
            if not _state(connection)["found"]:
                return None
            [row] = connection.execute(query("store_id"))
            return UUID(str(row["store_id"]))

    def restore(self, dump: Path, manifest: Manifest) -> None:
        with connected(self._url) as connection:
            _require_roles(connection)
            if _state(connection)["found"]:
                _drop_empty(connection)
            naming = _Naming(open_vectors(connection))
            mark = psycopg.ClientCursor(connection).mogrify(query("mark_restoring"), {"mark": _mark_of(manifest)})
            programs = self._programs(max(connection.info.server_version // 10_000, manifest.tools))
        with TemporaryDirectory(prefix="ingest-restore-") as folder:
            contents = _contents(programs, dump, Path(folder) / "contents")
            self._execute(programs, dump, contents, mark.encode(), naming)

    def migrate(self) -> list[str]:
        return migrate(self._url)

    def finish(self, store_id: UUID, actor: Actor) -> int:
        names = {"store_id": store_id} | columns_of(actor)
        with connected(self._url) as connection, connection.transaction():
            act_as_owner(connection, for_transaction=True)
            requeued = connection.execute(query("void_leases"), names).rowcount
            for statement in FINISHING:
                connection.execute(query(statement), names)
        return requeued

    def _execute(self, programs: ClientPrograms, dump: Path, contents: Path, mark: bytes, naming: "_Naming") -> None:
        """Have psql execute the whole dump in one transaction, which it loses if anything fails before the end."""
        arguments = ["--file=-", "--no-owner", f"--use-list={contents}", str(dump)]
        with (
            TemporaryFile() as told,
            programs.popen("psql", *QUIET, url=self._url, stdin=subprocess.PIPE, stdout=told, stderr=told) as psql,
            programs.popen("pg_restore", *arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as reading,
        ):
            assert psql.stdin is not None  # noqa: S101
            assert reading.stdout is not None  # noqa: S101
            try:
                psql.stdin.write(query("begin_restoring") + b";\n")
                _pass_on(reading.stdout, psql.stdin, naming)
                if reading.wait() == 0:
                    psql.stdin.write(b"\n" + mark + b";\n" + query("end_restoring") + b";\n")
                psql.stdin.close()
            except BrokenPipeError:  # psql has told why
                reading.kill()
                with suppress(BrokenPipeError):
                    psql.stdin.close()
            if (psql.wait(), reading.wait()) != (0, 0):
                told.seek(0)
                raise PermanentError("restore_failed", found=next(iter(errors_of(told.read())), "unknown"))


def _state(connection: Connection[Row]) -> Row:
    [row] = connection.execute(query("restoring_mark"))
    return row


def _require_roles(connection: Connection[Row]) -> None:
    """Make the roles if the server lacks some, and require that the login may act as the owner.

    Raises:
        OutageError: role_denied.
    """
    [lacks] = connection.execute(query("missing_roles"))
    if lacks["missing"]:
        make_roles(connection)
    [owner] = connection.execute(query("may_act_as"), {"role": Role.OWNER})
    if not owner["may"]:
        raise OutageError("role_denied", role=Role.OWNER)


def _mark_of(manifest: Manifest) -> str:
    return f"The backup {manifest.backup_id} is being restored here."


def _require_empty(connection: Connection[Row]) -> None:
    [row] = connection.execute(query("holds_anything"))
    if row["occupied"]:
        raise PermanentError("place_not_empty", place="the database")


def _drop_empty(connection: KeepingConnection) -> None:
    with connection.transaction():
        act_as_owner(connection, for_transaction=True)
        connection.execute(query("lock_for_restoring"))
        _require_empty(connection)
        connection.execute(query("drop_schema"))


def _contents(programs: ClientPrograms, dump: Path, place: Path) -> Path:
    """Write down what of the dump is to be restored, and return where."""
    with programs.popen(
        "pg_restore", "--list", str(dump), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as listing:
        listed, _ = listing.communicate()
    if listing.returncode != 0:
        raise PermanentError("restore_failed", found="unknown")
    lines = listed.decode(errors="surrogateescape").splitlines(keepends=True)
    place.write_text(
        "".join(each for each in lines if not any(made in each for made in MADE_BEFORE)), errors="surrogateescape"
    )
    return place


class _Naming:
    """Names pgvector's types where they are in this database: where it was backed up, they may have been elsewhere."""

    def __init__(self, schema: str) -> None:
        self._schema = f'"{schema.replace(chr(34), chr(34) * 2)}".'.encode()
        self._former: re.Pattern[bytes] | None = None

    def corrected(self, statement: bytes) -> bytes:
        if self._former is None and (found := FIRST_VECTOR.search(statement)):
            self._former = re.compile(rb'(?<![\w."])' + re.escape(found[1]) + rb"\.")
        return statement if self._former is None else self._former.sub(lambda _: self._schema, statement)


def _pass_on(statements: IO[bytes], psql: IO[bytes], naming: _Naming) -> None:
    """Pass on what pg_restore writes, but for the settings at its head that this server may not know.

    Rows are passed on as they are; what stands between them names pgvector's types where they are here.
    """
    are_rows = False
    for number, line in enumerate(statements):
        if are_rows:
            are_rows = line != END_OF_ROWS
            psql.write(line)
        elif number >= HEAD_LINES or line != UNKNOWN_TO_OLD:
            are_rows = line.startswith(b"COPY ") and line.endswith(b" FROM stdin;\n")
            psql.write(naming.corrected(line))
