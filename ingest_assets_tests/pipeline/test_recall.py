"""The measure of a search, and that it can fail."""

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import ChunkId, DocumentId, Producer, UserId, Vectors
from ingest_assets.domain.documents.metadata import Condition
from ingest_assets.domain.search.hits import Hit, Recall, VectorSample
from ingest_assets.pipeline import recall
from ingest_assets.pipeline.ports.searching import Documents, SearchIndex
from ingest_assets.pipeline.recall import recall_of
from ingest_assets.settings import Settings
from ingest_assets_tests.stored_vectors import MODEL, clustered, store_vectors


@dataclass
class ForgetfulIndex:
    """Misses every other chunk."""

    behind: SearchIndex

    def documents_that_meet(self, user_id: UserId, conditions: Sequence[Condition]) -> list[DocumentId]:
        return self.behind.documents_that_meet(user_id, conditions)

    def nearest(
        self, user_id: UserId, vector: Vectors, model: Producer, limit: int, documents: Documents = None
    ) -> list[ChunkId]:
        return self.behind.nearest(user_id, vector, model, 2 * limit, documents)[::2]

    def matching(self, user_id: UserId, query_text: str, limit: int, documents: Documents = None) -> list[ChunkId]:
        return self.behind.matching(user_id, query_text, limit, documents)

    def numbered(self, user_id: UserId, query_text: str, limit: int, documents: Documents = None) -> dict[ChunkId, int]:
        return self.behind.numbered(user_id, query_text, limit, documents)

    def hits(self, user_id: UserId, chunk_ids: Sequence[ChunkId]) -> list[Hit]:
        return self.behind.hits(user_id, chunk_ids)


def store(settings: Settings, user: UserId, vectors: Vectors) -> None:
    assert settings.database_url is not None
    store_vectors(settings.database_url.get_secret_value(), user, vectors)


def measured(deployment: Deployment) -> Recall:
    return recall_of(MODEL, index=deployment.search_index, samples=deployment.vector_samples)


def test_a_search_that_compares_everything_finds_everything(
    deployment: Deployment, settings: Settings, user: UserId, other_user: UserId
) -> None:
    for number, owner in enumerate((user, other_user)):
        store(settings, owner, clustered(150, seed=number))
    assert measured(deployment) == Recall(queries=50, found=500, expected=500)


def test_what_a_search_misses_is_counted(deployment: Deployment, settings: Settings, user: UserId) -> None:
    store(settings, user, clustered(150))
    forgetful = deployment.replacing(search_index=ForgetfulIndex(deployment.search_index))
    assert 0.4 <= measured(forgetful).share <= 0.6


def test_any_of_many_equal_chunks_is_as_good_as_another(
    deployment: Deployment, settings: Settings, user: UserId
) -> None:
    store(settings, user, clustered(1).repeat(40, axis=0))
    assert measured(deployment).share == 1


def test_where_a_user_has_few_chunks_all_of_them_are_expected(
    deployment: Deployment, settings: Settings, user: UserId
) -> None:
    store(settings, user, clustered(3))
    assert measured(deployment) == Recall(queries=3, found=6, expected=6)


def test_where_nothing_is_stored_nothing_is_missed(deployment: Deployment) -> None:
    assert measured(deployment) == Recall(queries=0, found=0, expected=0)
    assert measured(deployment).share == 1
    assert deployment.vector_samples.models() == []


def test_large_users_get_fewer_queries(
    deployment: Deployment, settings: Settings, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(settings, user, clustered(150))
    monkeypatch.setattr(recall, "COMPARED_ROWS", 301)
    assert measured(deployment).queries == 3


def test_every_model_is_known_and_measured_by_itself(deployment: Deployment, settings: Settings, user: UserId) -> None:
    assert settings.database_url is not None
    url, others = settings.database_url.get_secret_value(), [Producer("lexical", "2"), Producer("z", "1")]
    for model in (MODEL, *others):
        store_vectors(url, user, clustered(12), model=model)
    assert deployment.vector_samples.models() == [MODEL, *others]
    drawn = deployment.vector_samples.draw(others[0], 50)
    assert len(drawn) == 12
    assert all(isinstance(sample, VectorSample) and sample.rows == 12 for sample in drawn)
