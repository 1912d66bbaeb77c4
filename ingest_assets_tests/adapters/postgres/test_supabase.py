"""On a server set up like Supabase: a login that is no superuser, pgvector in another schema, users who sign in."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import Connection, sql

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.isolation import isolation_of
from ingest_assets.adapters.postgres.migrations import migrate, migrations
from ingest_assets.adapters.postgres.search.vector_index import PostgresVectorIndex
from ingest_assets.domain.documents.document import VECTOR_DIMENSIONS, Producer, UserId
from ingest_assets.domain.errors import PermanentError
from ingest_assets.domain.roles import Role
from ingest_assets.domain.search.index_policy import IndexAction, IndexKind, IndexPolicy
from ingest_assets_tests.conftest import deployment_for, settings_for
from ingest_assets_tests.documents import ingest
from ingest_assets_tests.own_postgres import OwnPostgres
from ingest_assets_tests.supabase import LOGIN, as_signed_in, supabase

OWNERS = b"""SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class
WHERE relnamespace = 'upload_pipeline'::regnamespace"""
ME, OTHER = UserId(uuid4()), UserId(uuid4())
WORDS = b"SELECT count(*) FROM upload_pipeline.matching_chunks('{hail}', '{}', 'hail', 10000, 10000)"
NEAREST = b"""SELECT user_id FROM upload_pipeline.document_chunks
ORDER BY embedding OPERATOR(extensions.<=>) %s::extensions.vector LIMIT 1000"""


@pytest.fixture(scope="module")
def server() -> Iterator[OwnPostgres]:
    with TemporaryDirectory(prefix="sb-") as short, supabase(Path(short)) as server:
        yield server


@pytest.fixture(scope="module")
def project(server: OwnPostgres, parser: LocalParser, tmp_path_factory: pytest.TempPathFactory) -> OwnPostgres:
    """A project with users whose documents may be read over its API."""
    url = server.url(user=LOGIN)
    migrate(url)
    with deployment_for(settings_for(url, tmp_path_factory.mktemp("home")), parser) as deployment:
        for user_id in (ME, OTHER):
            ingest(deployment, user_id, "# A policy\n\nHail is covered.\n", "hail.md")
    with psycopg.connect(server.url(user=LOGIN)) as connection:
        connection.execute("GRANT ingest_reader TO authenticated")
    return server


@pytest.fixture
def api(project: OwnPostgres) -> Iterator[Connection[Any]]:
    """How the project's API logs in."""
    with psycopg.connect(project.url(user="authenticator"), autocommit=True) as connection:
        yield connection


def test_the_login_that_people_are_given_migrates_and_migrates_again(project: OwnPostgres) -> None:
    assert migrate(project.url(user=LOGIN)) == []
    with psycopg.connect(project.url()) as connection:
        assert connection.execute(OWNERS).fetchall() == [(Role.OWNER,)]


@pytest.mark.parametrize("login", [LOGIN, Role.WORKER])
def test_pgvectors_types_are_found_by_whoever_logs_in(project: OwnPostgres, login: str) -> None:
    database = Database(project.url(user=login))
    assert isolation_of(database).unprotected == []
    with database.connection() as connection:
        assert connection.execute("SELECT %s::vector(2) <=> %s", ["[1,0]", "[1,0]"]).fetchone() is not None
    database.close()


@pytest.mark.parametrize("user_id", [ME, OTHER])
def test_who_is_signed_in_finds_own_documents_only_whatever_else_is_claimed(
    api: Connection[Any], user_id: UUID
) -> None:
    with as_signed_in(api, user_id):
        api.execute("SELECT set_config('app.user_id', %s, true)", [str(OTHER if user_id == ME else ME)])
        assert api.execute("SELECT DISTINCT user_id FROM upload_pipeline.documents").fetchall() == [(user_id,)]
        assert api.execute(WORDS).fetchone() == (1,)
        assert set(api.execute(NEAREST, [str([1.0] * VECTOR_DIMENSIONS)]).fetchall()) == {(user_id,)}


def test_who_is_signed_in_without_documents_sees_nothing_and_changes_nothing(api: Connection[Any]) -> None:
    with as_signed_in(api, uuid4()):
        assert api.execute("SELECT FROM upload_pipeline.documents").fetchall() == []
        assert api.execute(WORDS).fetchone() == (0,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), as_signed_in(api, ME):
        api.execute("DELETE FROM upload_pipeline.documents")


@pytest.mark.parametrize("role", ["anon", "service_role"])
def test_nobody_else_sees_anything(api: Connection[Any], role: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), as_signed_in(api, ME, role):
        api.execute("SELECT FROM upload_pipeline.documents")


@pytest.mark.parametrize("kind", IndexKind)
def test_vector_indexes_are_built(project: OwnPostgres, kind: IndexKind) -> None:
    model = Producer(kind, "1")
    index = PostgresVectorIndex(project.url(user=LOGIN), IndexPolicy(models_by_bits=frozenset({IndexKind.BITS})))
    assert index.keep(model, lambda _: IndexAction.BUILD) is IndexAction.BUILD
    state = index.state(model)
    assert state is not None
    assert state.exists


@pytest.fixture
def elsewhere(server: OwnPostgres) -> Iterator[str]:
    """Another database of the same server, in which nobody has switched on anything."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        connection.execute(
            sql.SQL("GRANT ALL ON DATABASE {} TO {}").format(sql.Identifier(name), sql.Identifier(LOGIN))
        )
    yield name
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_it_is_said_if_pgvector_must_be_switched_on_by_somebody_else(server: OwnPostgres, elsewhere: str) -> None:
    with pytest.raises(PermanentError, match="pgvector_closed"):
        migrate(server.url(elsewhere, LOGIN))
    with psycopg.connect(server.url(elsewhere)) as connection:
        connection.execute("CREATE SCHEMA vectors; CREATE EXTENSION vector WITH SCHEMA vectors")
    with pytest.raises(PermanentError, match="pgvector_closed"):  # it may not let the roles into that schema
        migrate(server.url(elsewhere, LOGIN))
    with psycopg.connect(server.url(elsewhere)) as connection:
        connection.execute("GRANT USAGE ON SCHEMA vectors TO ingest_owner, ingest_worker, ingest_reader, postgres")
    assert len(migrate(server.url(elsewhere, LOGIN))) == len(migrations())


def test_a_superuser_switches_it_on_where_extensions_are_kept(server: OwnPostgres, elsewhere: str) -> None:
    with psycopg.connect(server.url(elsewhere), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA extensions")
        migrate(server.url(elsewhere))
        found = connection.execute("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vector'")
        assert found.fetchone() == ("extensions",)
