"""The index comes and goes; what searches find stays right."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
import psycopg
import pytest

from ingest_assets.adapters.lexical_embedder import LexicalEmbedder
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import ChunkId, Producer, UserId, Vectors
from ingest_assets.domain.search.index_policy import IndexAction, IndexCosts, IndexKind, IndexPolicy, IndexState
from ingest_assets.pipeline.ports.indexing import VectorIndex
from ingest_assets.settings import Settings
from ingest_assets_tests.documents import TEST, drain_all, ingest, policy_text, submit
from ingest_assets_tests.stored_vectors import MODEL, clustered, index_name, store_vectors

LEASE = timedelta(seconds=30)
ROWS = 300

SOON = IndexPolicy(dict.fromkeys(IndexKind, IndexCosts(insert=6, build=1, compare=0.01, exact_rows=20)))
"""An index is of use to users with more than twenty vectors."""

UNKNOWN = Producer("some-model", "1")

INDEXES = """SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
JOIN pg_am ON pg_am.oid = relam WHERE amname = 'hnsw' AND indrelid = 'upload_pipeline.document_chunks'::regclass"""

BUILDING = """SELECT pid FROM pg_stat_progress_create_index
WHERE datname = current_database() AND phase = 'waiting for writers before build'"""


class NextModel(LexicalEmbedder):
    model = Producer("lexical", "2")


@pytest.fixture
def url(settings: Settings) -> str:
    assert settings.database_url is not None
    return settings.database_url.get_secret_value()


@pytest.fixture
def library(deployment: Deployment) -> Deployment:
    """A deployment in which twenty vectors are many."""
    return deployment.replacing(index_policy=SOON)


def indexes(url: str) -> dict[str, bool]:
    """Whether each HNSW index is whole."""
    with psycopg.connect(url) as connection:
        return dict(connection.execute(INDEXES).fetchall())


def nearest_by_brute_force(vectors: Vectors, ids: list[ChunkId], number: int) -> list[ChunkId]:
    order = np.argsort(-(vectors @ vectors[number]), kind="stable")
    return [ids[position] for position in order[:10]]


def finds_what_is_nearest(deployment: Deployment, user: UserId, vectors: Vectors, ids: list[ChunkId]) -> bool:
    return all(
        deployment.search_index.nearest(user, vectors[number], MODEL, 10)
        == nearest_by_brute_force(vectors, ids, number)
        for number in range(0, ROWS, 50)
    )


@contextmanager
def slow_writer(url: str) -> Iterator[None]:
    """A transaction under way: no build ends before it does."""
    with psycopg.connect(url) as connection:
        connection.execute("LOCK TABLE upload_pipeline.document_chunks IN ROW EXCLUSIVE MODE")
        yield


def builder(url: str) -> int:
    """The process that builds, as soon as there is an index, not whole yet, and it waits for the slow writer."""
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            found = connection.execute(BUILDING).fetchone()
            if found is not None:
                return int(found[0])


def test_searches_are_right_without_an_index_with_one_and_while_it_is_built(
    library: Deployment, url: str, user: UserId
) -> None:
    vectors = clustered(ROWS)
    ids = store_vectors(url, user, vectors)
    assert finds_what_is_nearest(library, user, vectors, ids)
    with ThreadPoolExecutor(1) as pool:
        with slow_writer(url):
            build = pool.submit(library.index_keeper.keep)
            builder(url)
            assert finds_what_is_nearest(library, user, vectors, ids)
            assert ingest(library, user, policy_text())
            assert not build.done()
        assert build.result() is IndexAction.BUILD
    assert indexes(url) == {index_name(MODEL): True}
    assert finds_what_is_nearest(library, user, vectors, ids)


@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend"])
def test_what_an_interrupted_build_left_is_cleared_away_and_built_anew(
    library: Deployment, url: str, user: UserId, how: str
) -> None:
    vectors = clustered(ROWS)
    ids = store_vectors(url, user, vectors)
    with ThreadPoolExecutor(1) as pool, slow_writer(url):
        build = pool.submit(library.index_keeper.keep)
        with psycopg.connect(url) as connection:
            connection.execute(f"SELECT {how}({builder(url)})".encode())
        assert build.exception() is not None
    assert indexes(url) == {index_name(MODEL): False}
    assert finds_what_is_nearest(library, user, vectors, ids)
    assert library.index_keeper.is_due()
    assert library.index_keeper.keep() is IndexAction.BUILD
    assert indexes(url) == {index_name(MODEL): True}
    assert not library.index_keeper.is_due()


def test_of_two_at_once_one_builds_and_the_other_does_not_wait(library: Deployment, url: str, user: UserId) -> None:
    store_vectors(url, user, clustered(ROWS))
    with ThreadPoolExecutor(1) as pool, slow_writer(url):
        build = pool.submit(library.index_keeper.keep)
        builder(url)
        assert library.index_keeper.keep() is None
        assert not library.index_keeper.before_load()
        assert not library.index_keeper.is_due()
        assert not build.done()
    assert indexes(url) == {index_name(MODEL): True}
    assert library.index_keeper.keep() is IndexAction.KEEP


def test_an_unknown_model_has_an_index_of_its_vectors(library: Deployment, url: str, user: UserId) -> None:
    class UnknownModel(NextModel):
        model = UNKNOWN

    unknown = library.replacing(embedder=UnknownModel())
    vectors = clustered(ROWS)
    ids = store_vectors(url, user, vectors, model=UNKNOWN)
    assert unknown.index_keeper.keep() is IndexAction.BUILD
    assert indexes(url) == {index_name(UNKNOWN): True}
    found = library.search_index.nearest(user, vectors[7], UNKNOWN, 10)
    assert found == nearest_by_brute_force(vectors, ids, 7)
    assert library.search_index.nearest(user, vectors[7], MODEL, 10) == []


def test_users_with_few_vectors_each_need_no_index(
    library: Deployment, url: str, user: UserId, other_user: UserId
) -> None:
    for each in (user, other_user):
        store_vectors(url, each, clustered(20))
    assert library.index_keeper.keep() is IndexAction.KEEP
    assert indexes(url) == {}


@dataclass
class Watched:
    """What is done to the index, in order."""

    behind: VectorIndex
    actions: list[IndexAction | None] = field(default_factory=list)

    def state(self, model: Producer) -> IndexState | None:
        return self.behind.state(model)

    def keep(self, model: Producer, decide: Callable[[IndexState], IndexAction]) -> IndexAction | None:
        self.actions.append(self.behind.keep(model, decide))
        return self.actions[-1]


def test_a_large_load_drops_the_index_and_leaves_a_new_one(library: Deployment, url: str, user: UserId) -> None:
    ingest(library, user, policy_text("Old", 40), "old.md")
    assert indexes(url) == {index_name(MODEL): True}
    watched = Watched(library.vector_index)
    for number in range(4):
        submit(library, user, policy_text(f"Subject {number}", 40), f"{number}.md")
    drain_all(library.replacing(vector_index=watched))
    assert watched.actions == [IndexAction.DROP, IndexAction.BUILD]
    assert indexes(url) == {index_name(MODEL): True}


def test_a_small_load_is_inserted(library: Deployment, url: str, user: UserId) -> None:
    for _ in range(10):
        store_vectors(url, user, clustered(ROWS // 10))
    library.index_keeper.keep()
    watched = Watched(library.vector_index)
    ingest(library.replacing(vector_index=watched), user, policy_text())
    assert watched.actions == [IndexAction.KEEP, IndexAction.KEEP]


def test_whoever_finishes_first_leaves_the_index_to_the_last(library: Deployment, url: str, user: UserId) -> None:
    store_vectors(url, user, clustered(30))
    for number in range(4):
        submit(library, user, policy_text(f"Subject {number}"), f"{number}.md")
    library.claims.claim("still loading", 4, LEASE)
    assert library.index_keeper.keep() is IndexAction.KEEP
    library.claims.release("still loading")
    assert library.index_keeper.keep() is IndexAction.BUILD


def test_a_load_whose_worker_died_is_not_waited_for(library: Deployment, url: str, user: UserId) -> None:
    store_vectors(url, user, clustered(30))
    for number in range(4):
        submit(library, user, policy_text(f"Subject {number}"), f"{number}.md")
    library.claims.claim("dead", 4, timedelta(0))
    assert library.index_keeper.is_due()


def test_a_search_that_has_become_unbearable_is_not_left_to_the_loads_end(
    library: Deployment, url: str, user: UserId
) -> None:
    store_vectors(url, user, clustered(30))
    for number in range(4):
        submit(library, user, policy_text(f"Subject {number}"), f"{number}.md")
    library.claims.claim("still loading", 4, LEASE)
    hasty = library.replacing(index_policy=replace(SOON, unbearable=0.2))
    assert hasty.index_keeper.keep() is IndexAction.BUILD


def test_another_model_gets_its_own_index_and_the_old_one_goes_with_its_last_vector(
    library: Deployment, url: str, user: UserId
) -> None:
    document_id = ingest(library, user, policy_text("Dental", 40))
    assert indexes(url) == {index_name(MODEL): True}
    renewed = library.replacing(embedder=NextModel())
    assert renewed.refresh.queue(renewed.refresh.outdated(), TEST) == [document_id]
    renewed.index_keeper.keep()
    assert indexes(url) == {index_name(MODEL): True}
    drain_all(renewed)
    assert indexes(url) == {index_name(NextModel.model): True}


def test_where_everything_was_deleted_the_index_goes(library: Deployment, url: str, user: UserId) -> None:
    document_id = ingest(library, user, policy_text("Dental", 40))
    library.deletion.delete(document_id, TEST)
    assert library.index_keeper.keep() is IndexAction.DROP
    assert indexes(url) == {}
