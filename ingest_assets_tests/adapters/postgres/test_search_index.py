"""Which indexes searches use, by the planner's own word, whatever statistics there are."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from pgvector.psycopg import register_vector
from psycopg import Connection

from ingest_assets.adapters.embedded_postgres import EmbeddedPostgres
from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.queries import query
from ingest_assets.adapters.postgres.search.search_index import INDEXED, PostgresSearchIndex
from ingest_assets.adapters.postgres.search.vector_index import PostgresVectorIndex
from ingest_assets.domain.documents.document import Producer, UserId
from ingest_assets.domain.search.index_policy import IndexAction, IndexPolicy
from ingest_assets_tests.adapters.postgres.filled_database import Statistics, keep_from_autovacuum
from ingest_assets_tests.conftest import TEMPLATE, _database
from ingest_assets_tests.stored_vectors import MODEL, analyze, clustered, index_name, store_vectors

UNKNOWN, OTHER = Producer("some-model", "1"), Producer("other-model", "1")
MANY, FEW = UserId(uuid4()), UserId(uuid4())
OTHERS = [UserId(uuid4()) for _ in range(10)]


@pytest.fixture(scope="module", params=Statistics)
def url(request: pytest.FixtureRequest, postgres: EmbeddedPostgres) -> Iterator[str]:
    """Some thousand chunks: half of them one user's, a few another's; each passage has its number and a common word."""
    for made in _database(postgres, TEMPLATE):
        keep_from_autovacuum(made)
        if request.param is Statistics.OF_EMPTY_TABLES:
            analyze(made)
        store_vectors(made, MANY, clustered(1200, seed=2))
        store_vectors(made, MANY, clustered(300, seed=3), model=UNKNOWN)
        store_vectors(made, FEW, clustered(15, seed=4))
        for number, other in enumerate(OTHERS):
            store_vectors(made, other, clustered(120, seed=10 + number))
        for model in (MODEL, UNKNOWN):
            PostgresVectorIndex(made, IndexPolicy()).keep(model, lambda _: IndexAction.BUILD)
        if request.param is Statistics.FRESH:
            analyze(made)
        yield made


@pytest.fixture
def connection(url: str) -> Iterator[Connection[Any]]:
    with psycopg.connect(url) as made:
        register_vector(made)
        yield made


def begin_search(connection: Connection[Any], user_id: object) -> None:
    """Begin a transaction with a search's role and settings."""
    connection.rollback()
    connection.execute(query("become_reader"), {"user_id": str(user_id)})
    connection.execute(query("keep_to_indexes"))


def plan(connection: Connection[Any], name: str, **names: object) -> str:
    """Return the plan that a search of this user gets, in lines of text."""
    names = {"user_id": FEW, "limit": 10, "candidates": 20, "most": 2000, "documents": None} | names
    begin_search(connection, user_id=names["user_id"])
    if name in INDEXED.values():
        connection.execute(query("order_by_index"))
    rows = connection.execute(b"EXPLAIN " + query(name), names)
    return "\n".join(line for (line,) in rows)


def of(model: Producer) -> dict[str, object]:
    return {"vector": clustered(1)[0], "embed_model": model.name, "embed_version": model.version}


def test_all_bits_are_compared_within_their_index(connection: Connection[Any]) -> None:
    explained = plan(connection, "nearest_of_all_bits", **of(MODEL))
    assert "Index Only Scan using document_chunks_by_bits" in explained
    assert "nearest" not in explained
    assert "Seq Scan" not in explained


def test_bits_of_some_documents_are_compared_within_the_same_index(connection: Connection[Any]) -> None:
    explained = plan(connection, "nearest_of_all_bits", documents=[uuid4() for _ in range(20)], **of(MODEL))
    assert "Index Only Scan using document_chunks_by_bits" in explained


def test_vectors_of_a_few_documents_are_found_by_their_index(connection: Connection[Any]) -> None:
    for count in (1, 500):
        documents = [uuid4() for _ in range(count)]
        for name, names in (
            ("nearest_in_documents", of(MODEL)),
            ("matching_in_documents", {"ranked": "'x'", "depth": 5}),
        ):
            explained = plan(connection, name, user_id=MANY, documents=documents, **names)
            assert "Index Scan using document_chunks_by_document" in explained


def test_all_vectors_of_a_user_are_found_by_an_index(connection: Connection[Any]) -> None:
    explained = plan(connection, "nearest_of_all_vectors", **of(UNKNOWN))
    assert "document_chunks_by" in explained
    assert "Seq Scan" not in explained


@pytest.mark.parametrize(("model", "name"), [(MODEL, "nearest_by_bits"), (UNKNOWN, "nearest_by_halfvec")])
def test_a_users_very_many_vectors_are_searched_by_the_models_index(
    connection: Connection[Any], model: Producer, name: str
) -> None:
    explained = plan(connection, name, user_id=MANY, **of(model))
    assert f"Index Scan using {index_name(model)}" in explained


@pytest.mark.parametrize("name", ["query_words", "needs_index"])
def test_counting_stops_at_its_limit_and_reads_no_chunk(connection: Connection[Any], name: str) -> None:
    words = {"query": "passage 77", "common_words": "passage", "unsampled": 1500, "sampled": 200}
    explained = plan(connection, name, user_id=MANY, exact_rows=100, index="upload_pipeline.any", **words)
    assert "Limit" in explained
    assert "Index Only Scan" in explained


@pytest.mark.parametrize(("user", "index", "needed"), [(MANY, MODEL, True), (FEW, MODEL, False), (MANY, OTHER, False)])
def test_an_index_is_needed_by_users_with_very_many_chunks_where_there_is_one(
    connection: Connection[Any], user: UserId, index: Producer, *, needed: bool
) -> None:
    names = {"user_id": user, "exact_rows": 100, "index": f"upload_pipeline.{index_name(index)}"}
    assert connection.execute(query("needs_index"), names).fetchone() == (needed,)


def test_a_sample_of_the_users_chunks_tells_common_words_from_rare_ones(connection: Connection[Any]) -> None:
    names = {"user_id": MANY, "query": "passage 77 it's \\ '", "common_words": "passage plan", "sampled": 100}
    rows = connection.execute(query("query_words"), names | {"most": 1200, "unsampled": 1000}).fetchall()
    assert {(chunks, sampled) for chunks, sampled, *_ in rows} == {(1200, 100)}
    assert {lexeme: (common, found) for _, _, lexeme, common, found in rows} == {
        "passag": (True, 100),
        "77": (False, 0),
    }


def test_a_word_that_every_chunk_has_does_not_keep_the_rare_one_from_being_first(url: str) -> None:
    database = Database(url)
    index = PostgresSearchIndex(database, IndexPolicy())
    found = index.matching(MANY, "passage 1077", 1)
    assert [hit.text for hit in index.hits(MANY, found)] == ["passage 1077"]
    assert [len(index.matching(MANY, text, 10)) for text in ("passage", "unheard-of", "")] == [10, 0, 0]
    database.close()
