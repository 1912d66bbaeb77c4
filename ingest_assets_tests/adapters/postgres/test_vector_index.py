"""Searches, the vector index and its measure in Postgres."""

import psycopg
import pytest

from ingest_assets.adapters.postgres.search.vector_index import index_name
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import Producer, UserId
from ingest_assets.domain.errors import IngestError
from ingest_assets.domain.search.index_policy import IndexAction, IndexKind, IndexState
from ingest_assets.pipeline.ports.indexing import VectorIndex, VectorSamples
from ingest_assets.pipeline.ports.searching import SearchIndex
from ingest_assets_tests.contracts.indexing_contract import VectorIndexContract, VectorSamplesContract
from ingest_assets_tests.contracts.searching_contract import SearchIndexContract
from ingest_assets_tests.stored_vectors import MODEL, clustered, store_vectors

UNKNOWN = Producer("some-model", "1")
"""A model whose bits say too little, so that its index holds vectors."""


class TestPostgresSearchIndex(SearchIndexContract):
    @pytest.fixture
    def index(self, deployment: Deployment) -> SearchIndex:
        return deployment.search_index


class TestPostgresVectorIndex(VectorIndexContract):
    @pytest.fixture
    def index(self, deployment: Deployment) -> VectorIndex:
        return deployment.vector_index


LOSE_RIGHT = (
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND state = 'idle in transaction'"
)
"""Ends the session that holds the lock, but not the one that works."""


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_nobody_builds_whose_right_has_gone(deployment: Deployment, user: UserId) -> None:
    store_vectors(deployment.database.url, user, clustered(3))

    def decide(_: IndexState) -> IndexAction:
        execute(deployment.database_url, LOSE_RIGHT)
        return IndexAction.BUILD

    with pytest.raises(IngestError, match="database_unreachable"):
        deployment.vector_index.keep(MODEL, decide)
    state = deployment.vector_index.state(MODEL)
    assert state is not None
    assert not state.exists


def test_an_index_whose_build_ended_before_its_statistics_were_switched_off_is_built_again(
    deployment: Deployment, user: UserId, database_url: str
) -> None:
    """Until then, they could be gathered, and would copy users' vectors."""
    index, name = deployment.vector_index, index_name(UNKNOWN, IndexKind.HALFVEC)
    store_vectors(deployment.database.url, user, clustered(30), model=UNKNOWN)
    index.keep(UNKNOWN, lambda _: IndexAction.BUILD)
    execute(database_url, f"ALTER INDEX upload_pipeline.{name} ALTER COLUMN 1 SET STATISTICS -1")
    execute(database_url, "ANALYZE upload_pipeline.document_chunks")
    seen: list[bool] = []

    def decide(state: IndexState) -> IndexAction:
        seen.append(state.exists)
        return IndexAction.KEEP if state.exists else IndexAction.BUILD

    for _ in range(2):
        index.keep(UNKNOWN, decide)
    assert seen == [False, True]
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ANALYZE upload_pipeline.document_chunks")
        assert connection.execute("SELECT FROM pg_stats WHERE tablename = %s", [name]).fetchall() == []


class TestPostgresVectorSamples(VectorSamplesContract):
    @pytest.fixture
    def samples(self, deployment: Deployment) -> VectorSamples:
        return deployment.vector_samples
