"""Behind a pooler, each transaction may get another session of the server, and other clients have it in between."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from ingest_assets.adapters.postgres.connections import KeepingConnection
from ingest_assets.adapters.postgres.database import Database, connected
from ingest_assets.adapters.postgres.diagnosis import Diagnosis
from ingest_assets.adapters.postgres.migrations import migrate, migrations
from ingest_assets.adapters.postgres.poolers import require_own_session
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.pooling import Pooling
from ingest_assets_tests.pgbouncer import needs_pgbouncer, pooled

pytestmark = needs_pgbouncer
SHOWN = ("role", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "hnsw.ef_search")


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="pgb-") as short:  # the path of a socket may have a hundred characters
        yield Path(short)


@pytest.fixture
def pooled_url(database_url: str, folder: Path) -> Iterator[str]:
    with pooled(database_url, folder) as url:
        yield url


def shown(connection: psycopg.Connection[dict[str, str]]) -> list[str]:
    """The settings in force; what is unknown and what is empty are told alike."""
    statement = "SELECT coalesce(current_setting(%s, true), '') AS value"
    return [row["value"] for name in SHOWN for row in connection.execute(statement, [name], prepare=False)]


def test_a_worker_has_its_rights_and_limits_in_every_transaction_and_leaves_none_behind(
    pooled_url: str, database_url: str
) -> None:
    database, direct = Database(pooled_url), Database(database_url)
    with psycopg.connect(pooled_url, autocommit=True, row_factory=psycopg.rows.dict_row) as foreign:
        before = shown(foreign)
        with database.connection() as connection, direct.connection() as wanted:
            assert connection.is_pooled
            assert not wanted.is_pooled
            assert shown(connection) == shown(wanted)
            with connection.transaction():
                assert shown(connection) == shown(wanted)
        assert shown(foreign) == before
    database.close()
    direct.close()


def test_a_reader_sees_only_one_users_rows(pooled_url: str, user: UserId) -> None:
    database = Database(pooled_url)
    with database.as_seen_by(user).connection() as connection:
        [row] = connection.execute("SELECT current_user AS name, current_setting('app.user_id') AS seen")
    assert row == {"name": "ingest_reader", "seen": str(user)}
    database.close()


def test_statements_are_not_prepared(pooled_url: str) -> None:
    database = Database(pooled_url, connections=1)
    for _ in range(3):  # each time, other sessions of the server may serve
        with database.connection() as connection, psycopg.connect(pooled_url) as other:
            other.execute("SELECT 1")  # keeps a session until its transaction ends
            for _ in range(10):
                connection.execute("SELECT %s::int AS one", [1])
    database.close()


def test_a_schema_is_migrated(postgres_url_of_empty: str) -> None:
    assert migrate(postgres_url_of_empty) == [each.name for each in migrations()]
    assert migrate(postgres_url_of_empty) == []


@pytest.fixture
def postgres_url_of_empty(empty_database_url: str, folder: Path) -> Iterator[str]:
    with pooled(empty_database_url, folder) as url:
        yield url


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_the_mode_of_a_pooler_is_known(database_url: str, folder: Path, mode: str) -> None:
    with pooled(database_url, folder, mode) as url:
        assert Diagnosis(url).pooling() is Pooling(mode)


def test_a_backup_wants_a_session_of_its_own_which_a_pooler_may_give(database_url: str, folder: Path) -> None:
    with pooled(database_url, folder / "session", "session") as url:
        require_own_session(url)
    require_own_session(database_url)
    with pooled(database_url, folder) as url, pytest.raises(PermanentError, match="pooler_in_between"):
        require_own_session(url)


def test_a_server_itself_is_no_pooler(database_url: str) -> None:
    assert Diagnosis(database_url).pooling() is Pooling.NONE


def test_an_owners_settings_end_with_each_transaction(pooled_url: str) -> None:
    with connected(pooled_url) as owner, psycopg.connect(pooled_url, autocommit=True) as foreign:
        assert isinstance(owner, KeepingConnection)
        assert shown(owner)[2] == "15s"
        [[limit]] = foreign.execute("SHOW lock_timeout")
        assert limit == "0"
