"""Dumps of the schema, and restoring them, with PostgreSQL's own programs."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from ingest_assets.adapters.embedded_postgres.installation import find_installation
from ingest_assets.adapters.postgres.backups.client_programs import ClientPrograms, errors_of, fitting_programs
from ingest_assets.adapters.postgres.backups.place import PostgresRestorePlace
from ingest_assets.adapters.postgres.backups.snapshots import PostgresSnapshots
from ingest_assets.adapters.postgres.migrations import migrate, migrations
from ingest_assets.composition import Deployment
from ingest_assets.composition.backups import client_programs
from ingest_assets.domain.backups import FileSum, Manifest
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.pipeline.ports.backing_up import RestorePlace, Snapshot, Snapshots
from ingest_assets.settings import login_url
from ingest_assets_tests.adapters.postgres.test_migrations import structure
from ingest_assets_tests.contracts.backing_up_contract import NOW, RestorePlaceContract, SnapshotsContract
from ingest_assets_tests.documents import TEST, drain_all, policy_text, submit

Dump = Callable[[], tuple[Path, Manifest]]
LOGIN = "backup_login"
STANDS_IN = "#!/bin/sh\necho '{} (PostgreSQL) {}.1'\n"


@pytest.fixture
def programs(deployment: Deployment) -> Callable[[int], ClientPrograms]:
    return client_programs(deployment)


@pytest.fixture
def snapshots(database_url: str, programs: Callable[[int], ClientPrograms]) -> Snapshots:
    return PostgresSnapshots(database_url, programs)


@pytest.fixture
def place(empty_database_url: str, programs: Callable[[int], ClientPrograms]) -> RestorePlace:
    return PostgresRestorePlace(empty_database_url, programs)


@pytest.fixture
def dump(snapshots: Snapshots, tmp_path: Path) -> Dump:
    return partial(dump_of, snapshots, tmp_path / "dump")


def dump_of(snapshots: Snapshots, file: Path) -> tuple[Path, Manifest]:
    with snapshots.taken() as snapshot:
        return file, manifest_of(snapshot, snapshots.dump(snapshot, file))


def manifest_of(snapshot: Snapshot, tools: int) -> Manifest:
    return Manifest(
        backup_id=snapshot.store_id,
        taken_at=snapshot.taken_at,
        finished_at=NOW,
        program="1",
        server=snapshot.server,
        tools=tools,
        migrations=snapshot.migrations,
        roles=snapshot.roles,
        store_id=snapshot.store_id,
        counts=snapshot.counts,
        dump=FileSum(0, ""),
        object_list=FileSum(0, ""),
        deleted=(),
        missing=(),
    )


class TestPostgresSnapshots(SnapshotsContract):
    @pytest.fixture
    def snapshots(self, database_url: str, programs: Callable[[int], ClientPrograms]) -> Snapshots:
        return PostgresSnapshots(database_url, programs)


class TestPostgresRestorePlace(RestorePlaceContract):
    @pytest.fixture
    def place(self, empty_database_url: str, programs: Callable[[int], ClientPrograms]) -> RestorePlace:
        return PostgresRestorePlace(empty_database_url, programs)

    @pytest.fixture
    def filled(self, database_url: str, programs: Callable[[int], ClientPrograms]) -> RestorePlace:
        return PostgresRestorePlace(database_url, programs)

    @pytest.fixture
    def dump(self, snapshots: Snapshots, tmp_path: Path) -> Dump:
        return partial(dump_of, snapshots, tmp_path / "dump")


def test_the_restored_schema_is_the_one_that_the_migrations_make(
    place: RestorePlace, database_url: str, empty_database_url: str, dump: Dump
) -> None:
    file, manifest = dump()
    place.restore(file, manifest)
    place.finish(manifest.store_id, TEST)
    assert structure(empty_database_url) == structure(database_url)


def test_an_older_backup_is_migrated_afterwards(
    empty_database_url: str, database_url: str, programs: Callable[[int], ClientPrograms], tmp_path: Path
) -> None:
    """The place is migrated and empty; the dump comes from a schema that lacks the last two migrations."""
    older = migrations()[:-2]
    migrate(empty_database_url, older)
    with psycopg.connect(empty_database_url) as connection:
        [name] = connection.execute("SELECT pg_export_snapshot()").fetchone() or [""]
        [store_id] = connection.execute("SELECT store_id FROM upload_pipeline.object_store").fetchone() or [uuid4()]
        server, names = connection.info.server_version // 10_000, tuple(each.name for each in older)
        snapshot = Snapshot(name, NOW, server, store_id, names, (), {}, frozenset(), iter(()))
        tools = PostgresSnapshots(empty_database_url, programs).dump(snapshot, tmp_path / "dump")
    place = PostgresRestorePlace(database_url, programs)
    place.restore(tmp_path / "dump", manifest_of(snapshot, tools))
    assert place.migrate() == [each.name for each in migrations()[-2:]]
    place.finish(store_id, TEST)


@pytest.fixture
def login(database_url: str, empty_database_url: str) -> Iterator[str]:
    """A login that is no superuser: it may act as the owner, and has a database of its own."""
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
        connection.execute("CREATE ROLE backup_login LOGIN CREATEROLE IN ROLE ingest_owner, ingest_worker")
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("GRANT CREATE ON DATABASE {} TO backup_login").format(name))
        yield LOGIN
        connection.execute("DROP OWNED BY backup_login")
        connection.execute("REASSIGN OWNED BY backup_login TO CURRENT_USER")
        connection.execute("DROP ROLE backup_login")


def test_a_login_that_row_security_holds_for_backs_up_and_restores_every_users_rows(
    deployment: Deployment, login: str, database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    for number in range(3):
        submit(deployment, UserId(uuid4()), policy_text(), f"{number}.md")
    programs = client_programs(deployment)
    file, manifest = dump_of(PostgresSnapshots(login_url(database_url, login), programs), tmp_path / "dump")
    place = PostgresRestorePlace(login_url(empty_database_url, login), programs)
    place.restore(file, manifest)
    place.finish(manifest.store_id, TEST)
    with psycopg.connect(empty_database_url) as connection:
        [count] = connection.execute("SELECT count(*) FROM upload_pipeline.documents").fetchone() or [0]
    assert count == 3
    assert structure(empty_database_url) == structure(database_url)


def test_roles_with_rights_of_their_own_are_told(
    deployment: Deployment, snapshots: Snapshots, database_url: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE ROLE report_of_backups")
        connection.execute("GRANT SELECT (filename) ON upload_pipeline.documents TO report_of_backups")
    try:
        with snapshots.taken() as snapshot:
            assert snapshot.roles == ("report_of_backups",)
    finally:
        with psycopg.connect(database_url) as connection:
            connection.execute("DROP OWNED BY report_of_backups")
            connection.execute("DROP ROLE report_of_backups")


def stand_ins(folder: Path, **versions: int) -> Path:
    """A folder with programs of these versions."""
    folder.mkdir()
    for name, version in versions.items():
        (folder / name).write_text(STANDS_IN.format(name, version))
        (folder / name).chmod(0o700)
    return folder


def test_programs_are_not_older_than_the_server_and_complete(tmp_path: Path) -> None:
    old = stand_ins(tmp_path / "old", pg_dump=15, pg_restore=15, psql=15)
    partial_ones = stand_ins(tmp_path / "partial", pg_dump=17, psql=17)
    new = stand_ins(tmp_path / "new", pg_dump=17, pg_restore=17, psql=17)
    assert fitting_programs([old, new], 15) == ClientPrograms(old, 15)
    assert fitting_programs([old, partial_ones, new], 16) == ClientPrograms(new, 17)
    with pytest.raises(PermanentError, match=r"client_programs_missing: .* of PostgreSQL 18 or newer"):
        fitting_programs([old, partial_ones, new, tmp_path / "nowhere"], 18)


def test_the_programs_that_come_along_fit_the_embedded_server(deployment: Deployment) -> None:
    folder = Path(find_installation().program("pg_dump")).parent
    assert fitting_programs([folder], deployment.diagnosis.version()).folder == folder


def test_a_password_is_in_the_environment_and_never_in_the_command_line(tmp_path: Path) -> None:
    program = tmp_path / "pg_dump"
    program.write_text('#!/bin/sh\necho "$PGPASSWORD" > "$1"\nshift\nfor each; do echo "$each"; done > "$0.said"\n')
    program.chmod(0o700)
    url = "postgresql://me:sec%20ret@db.example/ingest?sslmode=verify-full&sslpassword=other"
    with ClientPrograms(tmp_path, 18).popen("pg_dump", str(tmp_path / "known"), url=url) as running:
        assert running.wait() == 0
    said = (tmp_path / "pg_dump.said").read_text()
    assert (tmp_path / "known").read_text() == "sec ret\n"
    assert "host=db.example" in said
    assert "sslmode=verify-full" in said
    assert "sec" not in said
    assert "other" not in said


def test_other_services_secrets_do_not_reach_the_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    monkeypatch.setenv("PGSSLROOTCERT", "system")
    program = tmp_path / "psql"
    program.write_text('#!/bin/sh\nenv > "$0.env"\n')
    program.chmod(0o700)
    with ClientPrograms(tmp_path, 18).popen("psql") as running:
        assert running.wait() == 0
    known = (tmp_path / "psql.env").read_text()
    assert "OPENAI" not in known
    assert "PGSSLROOTCERT=system" in known


def test_of_an_error_only_its_state_is_read() -> None:
    assert errors_of(b"psql:<stdin>:41: ERROR:  42704\npsql: FATAL:  28P01\n") == ["42704", "28P01"]
    assert errors_of(b'ERROR:  duplicate key: (name)=(Jane)\nSTATEMENT: "ERROR: 12"') == []


def test_a_dump_is_restored_where_pgvector_is_in_another_schema(
    place: RestorePlace, dump: Dump, empty_database_url: str, deployment: Deployment, user: UserId
) -> None:
    words = 'public.vector and "public".vector(1536)'
    submit(deployment, user, f"# A policy\n\n{words}\n".encode())
    drain_all(deployment)
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute('CREATE SCHEMA "Other ""schema"; CREATE EXTENSION vector SCHEMA "Other ""schema"')
        place.restore(*dump())
        assert words in str(connection.execute("SELECT text FROM upload_pipeline.document_chunks").fetchall())
    assert place.migrate() == []
