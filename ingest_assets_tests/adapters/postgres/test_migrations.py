import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from ingest_assets.adapters.postgres import migrations
from ingest_assets.adapters.postgres.locks import Assure, held
from ingest_assets.adapters.postgres.migrations import Migration, create_database, migrate, pending
from ingest_assets.adapters.postgres.queries import queries
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.roles import Role
from ingest_assets.settings import login_url, sibling_database
from ingest_assets.shipped import shipped

CATALOGUE = """
SELECT format('%s.%s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
    pg_get_expr(d.adbin, d.adrelid)) AS line
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid
LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (c.oid, a.attnum)
WHERE c.relnamespace = 'upload_pipeline'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL SELECT format('%s %s %s %s %s %s', relname, reloptions, pg_get_userbyid(relowner), relacl, relrowsecurity,
    relforcerowsecurity) FROM pg_class
    WHERE relnamespace = 'upload_pipeline'::regnamespace
UNION ALL SELECT format('%s %s', conname, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE connamespace = 'upload_pipeline'::regnamespace
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'upload_pipeline'
UNION ALL SELECT format('%s %s %s', pg_get_functiondef(oid), pg_get_userbyid(proowner), proacl) FROM pg_proc
    WHERE pronamespace = 'upload_pipeline'::regnamespace
UNION ALL SELECT format('%s %s %s %s %s %s', tablename, policyname, roles, cmd, qual, with_check) FROM pg_policies
    WHERE schemaname = 'upload_pipeline'
UNION ALL SELECT format('%s %s', pg_get_triggerdef(oid), tgenabled) FROM pg_trigger WHERE NOT tgisinternal
ORDER BY 1
"""


def structure(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [str(line) for (line,) in connection.execute(CATALOGUE.encode())]


def test_all_migrations_together_give_the_schema_file(database_url: str, empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute((shipped("sql") / "schema.sql").read_bytes())
    assert structure(database_url) == structure(empty_database_url)


def test_migrating_again_changes_nothing(empty_database_url: str) -> None:
    assert migrate(empty_database_url)
    assert migrate(empty_database_url) == []
    assert pending(empty_database_url) == []


def test_two_may_migrate_at_once(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, [empty_database_url] * 4))
    assert sorted(name for some in applied for name in some) == [each.name for each in migrations.migrations()]


def test_two_may_migrate_at_once_where_only_an_index_is_missing(empty_database_url: str) -> None:
    """Who waits must keep no snapshot, for which whoever builds the index would wait in turn."""
    migrate(empty_database_url, migrations.migrations()[:-1])
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, [empty_database_url] * 4))
    assert sorted(map(len, applied)) == [0, 0, 0, 1]


NOTE = Migration("9998_pre_note", b"CREATE TABLE upload_pipeline.note ()")
LOSE_LOCK = Migration(
    "9997_pre_lose",
    b"RESET ROLE; SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    b" WHERE datname = current_database() AND state = 'idle in transaction'",
)


def test_no_migration_begins_once_the_lock_is_lost(empty_database_url: str) -> None:
    migrate(empty_database_url)
    with pytest.raises(IngestError, match="database_unreachable"):
        migrate(empty_database_url, [*migrations.migrations(), LOSE_LOCK, NOTE])
    assert migrate(empty_database_url, [*migrations.migrations(), LOSE_LOCK, NOTE]) == [NOTE.name]


def test_a_lock_that_is_lost_at_the_end_is_no_outage(empty_database_url: str) -> None:
    migrate(empty_database_url)
    assert migrate(empty_database_url, [*migrations.migrations(), LOSE_LOCK]) == [LOSE_LOCK.name]


CHUNK_KEY = "SELECT indexdef FROM pg_indexes WHERE indexname ~ '^document_chunks_(pkey|user_key)$'"


def test_the_new_key_of_chunks_may_be_interrupted_anywhere(empty_database_url: str) -> None:
    position = [each.name for each in migrations.migrations()].index("0026_between_chunk_keys")
    migrate(empty_database_url, migrations.migrations()[:position])
    parts = migrations.migrations()[position].parts
    assert len(parts) == 3
    for done in range(len(parts) + 1):
        with psycopg.connect(empty_database_url, autocommit=True) as connection:
            for part in parts[:done]:
                connection.execute(part)
    assert migrate(empty_database_url)[0] == "0026_between_chunk_keys"
    with psycopg.connect(empty_database_url) as connection:
        [[key]] = connection.execute(CHUNK_KEY.encode()).fetchall()
    assert str(key).endswith("(user_id, chunk_id)")


def test_readers_go_on_while_the_new_key_of_chunks_is_built(empty_database_url: str) -> None:
    """The build takes no lock that a search would wait for, which a transaction would keep to its end."""
    [migration] = [each for each in migrations.migrations() if each.name == "0026_between_chunk_keys"]
    migrate(empty_database_url, [each for each in migrations.migrations() if each.name < migration.name])
    with psycopg.connect(empty_database_url, autocommit=True) as connection, connection.transaction():
        connection.execute("SELECT FROM upload_pipeline.document_chunks")
        with psycopg.connect(empty_database_url, autocommit=True) as building:
            building.execute("SET lock_timeout = '5s'")
            for part in migration.parts[:-1]:
                building.execute(part)


def test_a_concurrent_build_waits_for_nobody_however_many_migrations_came_before(empty_database_url: str) -> None:
    """The session that holds the lock keeps no snapshot, whatever it was asked before."""
    migrate(empty_database_url)
    notes = [Migration(f"99{number:02d}_pre_note", b"SELECT") for number in range(10)]
    build = (
        b"-- no-transaction\nSET statement_timeout = '5s';\n\n"
        b"CREATE INDEX CONCURRENTLY late ON upload_pipeline.events (stage)"
    )
    assert len(migrate(empty_database_url, [*migrations.migrations(), *notes, Migration("9998_pre_late", build)])) == 11


def test_what_older_releases_would_not_bear_waits_if_only_what_is_needed_is_applied(empty_database_url: str) -> None:
    migrate(empty_database_url)
    now = migrations.migrations()
    release = [*now, *(Migration(name, b"SELECT") for name in ("9901_post_a", "9902_pre_b", "9903_post_c"))]
    assert migrate(empty_database_url, release, needed_only=True) == ["9901_post_a", "9902_pre_b"]
    assert migrate(empty_database_url, release, needed_only=True) == []
    assert migrate(empty_database_url, release) == ["9903_post_c"]


def test_another_process_may_apply_meanwhile_what_was_left_out(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when `dagster dev` and `ingest migrate` start together on a new schema."""
    migrate(empty_database_url)
    release = [*migrations.migrations(), *(Migration(name, b"SELECT") for name in ("9901_pre_a", "9902_post_b"))]

    def held_after_another(url: str, name: str) -> AbstractContextManager[Assure]:
        monkeypatch.undo()
        assert migrate(empty_database_url, release) == ["9901_pre_a", "9902_post_b"]
        return held(url, name)

    monkeypatch.setattr(migrations, "held", held_after_another)
    assert migrate(empty_database_url, release, needed_only=True) == []


def test_a_schema_that_nobody_uses_yet_gets_every_migration(empty_database_url: str) -> None:
    release = [*migrations.migrations(), Migration("9901_post_late", b"SELECT")]
    assert migrate(empty_database_url, release, needed_only=True)[-1] == "9901_post_late"


def test_how_far_the_build_of_an_index_has_come_is_told(empty_database_url: str) -> None:
    """The index is over a function that takes its time for each row."""
    slow = b"""CREATE TABLE upload_pipeline.late AS SELECT FROM generate_series(1, 50);
ALTER TABLE upload_pipeline.late ADD number int GENERATED ALWAYS AS IDENTITY;
CREATE FUNCTION upload_pipeline.slowly(number int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN PERFORM pg_sleep(0.1); RETURN number; END $$"""
    index = b"CREATE INDEX CONCURRENTLY late_number ON upload_pipeline.late (upload_pipeline.slowly(number))"
    migrate(empty_database_url)
    told: list[tuple[str, int, int]] = []
    release = [
        *migrations.migrations(),
        Migration("9901_pre_slow", slow),
        Migration("9902_pre_build", b"-- no-transaction\n" + index),
    ]
    migrate(empty_database_url, release, tell=lambda *progress: told.append(progress))
    assert told[:2] == [("9901_pre_slow", 0, 0), ("9902_pre_build", 0, 0)]
    assert any(name == "9902_pre_build" and total > 0 for name, _, total in told[2:])


def test_no_new_migration_both_stops_older_code_and_is_needed() -> None:
    """Such a change is split: what newer code needs comes first, and what older code needs goes last."""
    both = {migration.name for migration in migrations.migrations() if "_between_" in migration.name}
    assert both == {"0023_between_locks", "0026_between_chunk_keys"}


def test_the_index_of_numbers_may_be_interrupted_anywhere(empty_database_url: str) -> None:
    position = [each.name for each in migrations.migrations()].index("0029_pre_numbers")
    migrate(empty_database_url, migrations.migrations()[:position])
    parts = migrations.migrations()[position].parts
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute("SET ROLE ingest_owner")
        for done in (1, len(parts) - 3, len(parts)):
            for part in parts[:done]:
                connection.execute(part)
    migrate(empty_database_url)
    with psycopg.connect(empty_database_url) as connection:
        is_valid = (
            "SELECT indisvalid FROM pg_index WHERE indexrelid = 'upload_pipeline.document_chunks_by_number'::regclass"
        )
        assert connection.execute(is_valid.encode()).fetchall() == [(True,)]


def test_an_old_migration_that_changed_is_refused(empty_database_url: str) -> None:
    migrate(empty_database_url)
    changed = [Migration(each.name, each.statements + b"-- edited") for each in migrations.migrations()]
    with pytest.raises(IngestError) as raised:
        migrate(empty_database_url, changed)
    assert raised.value.code == "migration_changed"


def test_a_migration_that_fails_leaves_nothing_behind(empty_database_url: str) -> None:
    broken = Migration("9999_post_broken", b"CREATE TABLE upload_pipeline.half (); SELECT 1 / 0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty_database_url, [*migrations.migrations(), broken])
    assert not [line for line in structure(empty_database_url) if line.startswith("half")]
    assert migrate(empty_database_url) == []


def test_a_database_without_pgvector_is_refused(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    without = queries() | {"available_pgvector": queries()["available_pgvector"].replace(b"'vector'", b"'absent'")}
    monkeypatch.setattr("ingest_assets.adapters.postgres.queries.queries", lambda: without)
    with pytest.raises(IngestError) as raised:
        migrate(empty_database_url)
    assert raised.value.code == "pgvector_missing"


def test_a_server_that_is_too_old_is_refused(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "OLDEST_POSTGRES", 99)
    with pytest.raises(IngestError) as raised:
        migrate(empty_database_url)
    assert raised.value.code == "database_too_old"


def test_an_unreachable_server_is_named_without_its_address(tmp_path: Path) -> None:
    with pytest.raises(IngestError) as raised:
        migrate(f"postgresql://secret-user@/nowhere?host={tmp_path}")
    assert raised.value.code == "database_unreachable"
    assert "secret-user" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_migrations_are_numbered_without_gaps_and_named_for_their_order() -> None:
    names = [migration.name for migration in migrations.migrations()]
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    assert all(re.fullmatch(r"\d{4}_(pre|between|post)_[a-z_]+", name) for name in names)


@pytest.mark.parametrize(
    ("stage", "state", "more"),
    [
        ("embedded", "queued", ""),
        ("embedding", "done", ", finished_at = now()"),
        ("embedded", "done", ""),
        ("queued", "working", ""),
        ("queued", "retryable", ", error_code = 'x'"),
        ("queued", "deadletter", ""),
        ("nowhere", "queued", ""),
        ("queued", "asleep", ""),
    ],
)
def test_the_schema_refuses_what_the_stage_machine_refuses(
    database_url: str, stage: str, state: str, more: str
) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO upload_pipeline.documents (document_id, user_id, filename, media_type, byte_size, content_sha)"
            " VALUES (gen_random_uuid(), gen_random_uuid(), 'x', 'text/plain', 1, repeat('a', 64))"
        )
        connection.execute(
            "INSERT INTO upload_pipeline.upload_jobs (job_id, document_id, user_id, version)"
            " SELECT gen_random_uuid(), document_id, user_id, 1 FROM upload_pipeline.documents"
        )
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(
                f"UPDATE upload_pipeline.upload_jobs SET stage = '{stage}', state = '{state}'{more}".encode()  # noqa: S608
            )


def test_every_query_is_described() -> None:
    for path in (shipped("sql") / "queries").glob("*.sql"):
        for part in re.split(r"(?m)^-- [a-z_]+$", path.read_text())[1:]:
            assert re.match(r"\n-- [A-Z].*\.\n", part) or re.match(r"\n-- [A-Z].*\n-- .*\.\n", part), part[:80]


def test_every_query_is_used() -> None:
    package = Path(migrations.__file__).parents[2]
    code = "".join(path.read_text() for path in package.rglob("*.py"))
    assert [name for name in queries() if f'"{name}"' not in code] == []


FROZEN_FOR = "SHOW idle_in_transaction_session_timeout"


def shown(url: str, setting: str) -> str:
    with psycopg.connect(url) as connection:
        [[value]] = connection.execute(setting.encode()).fetchall()
    return str(value)


def test_a_session_that_freezes_in_dagsters_database_is_ended(empty_database_url: str) -> None:
    assert shown(empty_database_url, FROZEN_FOR) == "0"
    assert not create_database(empty_database_url)
    assert shown(empty_database_url, FROZEN_FOR) == "1min"


def test_a_limit_that_somebody_else_gave_dagsters_database_stays(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET idle_in_transaction_session_timeout = 7000").format(name))
    create_database(empty_database_url)
    assert shown(empty_database_url, FROZEN_FOR) == "7s"


def test_dagsters_database_may_belong_to_somebody_else(empty_database_url: str) -> None:
    migrate(empty_database_url)
    assert not create_database(login_url(empty_database_url, Role.WORKER))
    assert shown(empty_database_url, FROZEN_FOR) == "0"


def test_several_may_create_dagsters_database_at_once(empty_database_url: str) -> None:
    name = f"dagster_{uuid4().hex}"
    url = sibling_database(empty_database_url, name)
    with ThreadPoolExecutor(4) as pool:
        created = list(pool.map(create_database, [url] * 4))
    assert sum(created) == 1
    assert shown(url, FROZEN_FOR) == "1min"
    with psycopg.connect(empty_database_url, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))
