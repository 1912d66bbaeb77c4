"""Snapshots of the database, and dumps of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import Connection

from ingest_assets.adapters.postgres.backups.client_programs import ClientPrograms
from ingest_assets.adapters.postgres.connections import Row, act_as_owner
from ingest_assets.adapters.postgres.database import connected
from ingest_assets.adapters.postgres.documents.object_records import recorded
from ingest_assets.adapters.postgres.poolers import require_own_session
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.domain.documents.sweeping import RecordedObjects
from ingest_assets.domain.errors import OutageError, PermanentError
from ingest_assets.domain.roles import Role
from ingest_assets.domain.schema import check_schema
from ingest_assets.pipeline.ports.backing_up import Snapshot
from ingest_assets.shipped import known_migrations

AT_ONCE = 2000
LOG = "pg_dump.log"
"""What pg_dump says, beside the dump: it may name hosts, so that it stays in the private folder of the backup."""


class PostgresSnapshots:
    """Snapshots of one database; `programs` finds those that fit a server's version."""

    def __init__(self, url: str, programs: Callable[[int], ClientPrograms]) -> None:
        self._url = url
        self._programs = programs

    @contextmanager
    def taken(self) -> Iterator[Snapshot]:
        require_own_session(self._url)
        with connected(self._url) as connection:
            try:
                act_as_owner(connection)
            except psycopg.errors.InsufficientPrivilege:
                raise OutageError("role_denied", role=Role.OWNER) from None
            connection.execute(query("begin_snapshot"))
            connection.execute(query("hold_for_good"))
            try:
                yield _snapshot(connection)
            finally:
                connection.rollback()

    def dump(self, snapshot: Snapshot, file: Path) -> int:
        programs = self._programs(snapshot.server)
        arguments = ["--format=custom", "--schema=upload_pipeline", f"--snapshot={snapshot.name}", f"--file={file}"]
        arguments += ["--compress=1"]  # the default takes five times as long, and a tenth less space
        # The owner sees all rows, by a policy of the schema; nobody else needs to be allowed to bypass it.
        arguments += [f"--role={Role.OWNER}", "--enable-row-security"]
        log = file.with_name(LOG)
        log.touch(mode=0o600)
        with (
            log.open("wb") as told,
            programs.popen("pg_dump", *arguments, url=self._url, stdout=told, stderr=told) as dumping,
        ):
            if dumping.wait() != 0:
                raise PermanentError("dump_failed", place=LOG)
        log.unlink()
        return programs.major


def _snapshot(connection: Connection[Row]) -> Snapshot:
    migrations = [row["name"] for row in connection.execute(query("applied_migrations"))]
    check_schema(migrations, known_migrations())
    [moment] = connection.execute(query("export_snapshot"))
    [counts] = connection.execute(query("counts_of_snapshot"))
    return Snapshot(
        name=moment["name"],
        taken_at=moment["taken_at"],
        server=connection.info.server_version // 10_000,
        store_id=UUID(str(moment["store_id"])),
        migrations=tuple(migrations),
        roles=tuple(row["role"] for row in connection.execute(query("grantees"))),
        counts=counts,
        key_ids=frozenset(row["key_id"] for row in connection.execute(query("key_ids"))),
        records=_records(connection),
    )


def _records(connection: Connection[Row]) -> Iterator[RecordedObjects]:
    with connection.cursor(name="recorded") as cursor:
        cursor.itersize = AT_ONCE
        cursor.execute(query("recorded_in_snapshot"))
        yield from map(recorded, cursor)
