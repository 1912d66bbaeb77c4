"""What the upkeep of the vector index, and the measure of searches, must be able to rely on."""

from uuid import uuid4

import numpy as np
import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import ChunkId, Producer, UserId
from ingest_assets.domain.metrics import RECALL
from ingest_assets.domain.search.hits import Recall
from ingest_assets.domain.search.index_policy import IndexAction, IndexState
from ingest_assets.pipeline.ports.indexing import VectorIndex, VectorSamples
from ingest_assets_tests.contracts.claiming_contract import fill
from ingest_assets_tests.documents import LEASE
from ingest_assets_tests.stored_vectors import MODEL, clustered, store_vectors

OTHER_MODEL = Producer("another model", "1")


class VectorIndexContract:
    """A suite gives the fixture `index`: that of its deployment."""

    @pytest.fixture
    def index(self, deployment: Deployment) -> VectorIndex:
        raise NotImplementedError

    def test_the_state_tells_what_there_is_and_what_is_to_come(
        self, index: VectorIndex, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        assert index.state(MODEL) == IndexState(exists=False, rows=0, most=0, waiting=0, loading=False)
        store_vectors(deployment.database.url, user, clustered(30))
        store_vectors(deployment.database.url, other_user, clustered(12))
        fill(deployment, user, 3)
        state = index.state(MODEL)
        assert state is not None
        assert (state.exists, state.rows, state.most, state.loading) == (False, 42, 30, False)
        assert state.waiting > 0
        deployment.claims.claim("worker", 1, LEASE)
        state = index.state(MODEL)
        assert state is not None
        assert state.loading

    def test_what_is_decided_of_the_state_is_done(
        self, index: VectorIndex, deployment: Deployment, user: UserId
    ) -> None:
        store_vectors(deployment.database.url, user, clustered(30))
        seen: list[IndexState] = []
        for action, exists in [
            (IndexAction.KEEP, False),
            (IndexAction.BUILD, True),
            (IndexAction.KEEP, True),
            (IndexAction.DROP, False),
        ]:

            def decide(state: IndexState, action: IndexAction = action) -> IndexAction:
                seen.append(state)
                return action

            assert index.keep(MODEL, decide) is action
            state = index.state(MODEL)
            assert state is not None
            assert state.exists is exists
        assert [state.exists for state in seen] == [False, False, True, True]
        assert {state.rows for state in seen} == {30}

    def test_while_one_is_at_it_others_are_told_so_and_do_not_wait(
        self, index: VectorIndex, deployment: Deployment, user: UserId
    ) -> None:
        store_vectors(deployment.database.url, user, clustered(30))
        told: list[object] = []

        def decide(_: IndexState) -> IndexAction:
            told.append(index.state(MODEL))
            told.append(index.keep(MODEL, lambda _: IndexAction.BUILD))
            return IndexAction.KEEP

        assert index.keep(MODEL, decide) is IndexAction.KEEP
        assert told == [None, None]

    def test_what_other_models_no_longer_need_is_cleared_away(
        self, index: VectorIndex, deployment: Deployment, user: UserId
    ) -> None:
        index.keep(OTHER_MODEL, lambda _: IndexAction.BUILD)
        store_vectors(deployment.database.url, user, clustered(30))
        index.keep(MODEL, lambda _: IndexAction.KEEP)
        state = index.state(OTHER_MODEL)
        assert state is not None
        assert not state.exists


class VectorSamplesContract:
    """A suite gives the fixture `samples`: those of its deployment."""

    @pytest.fixture
    def samples(self, deployment: Deployment) -> VectorSamples:
        raise NotImplementedError

    def test_models_with_stored_vectors_are_known(
        self, samples: VectorSamples, deployment: Deployment, user: UserId
    ) -> None:
        assert samples.models() == []
        for model in (MODEL, OTHER_MODEL):
            store_vectors(deployment.database.url, user, clustered(3), model=model)
        assert sorted(samples.models(), key=lambda model: model.name) == [OTHER_MODEL, MODEL]

    def test_no_more_samples_are_drawn_than_there_are_or_were_asked_for(
        self, samples: VectorSamples, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        vectors = clustered(12)
        ids = store_vectors(deployment.database.url, user, vectors)
        store_vectors(deployment.database.url, other_user, clustered(2), model=OTHER_MODEL)
        drawn = samples.draw(MODEL, 5)
        assert len({sample.chunk_id for sample in drawn}) == len(drawn) == 5
        assert len(samples.draw(MODEL, 99)) == 12
        for sample in drawn:
            assert (sample.user_id, sample.rows) == (user, 12)
            assert np.array_equal(sample.vector, vectors[ids.index(sample.chunk_id)])

    def test_what_was_found_is_compared_with_the_nearest_others_of_the_user(
        self, samples: VectorSamples, deployment: Deployment, user: UserId, other_user: UserId
    ) -> None:
        vectors = clustered(12)
        ids = store_vectors(deployment.database.url, user, vectors)
        theirs = store_vectors(deployment.database.url, other_user, vectors)
        sample = next(each for each in samples.draw(MODEL, 99) if each.chunk_id == ids[0])
        order = [ids[position] for position in np.argsort(-(vectors @ vectors[0]), kind="stable") if position != 0]
        assert samples.compare(sample, MODEL, order[:5], 5) == (5, 5)
        assert samples.compare(sample, MODEL, order[3:8], 5) == (2, 5)
        assert samples.compare(sample, MODEL, [], 5) == (0, 5)
        assert samples.compare(sample, MODEL, [*theirs, ChunkId(uuid4())], 5) == (0, 5)
        assert samples.compare(sample, MODEL, order, 99) == (11, 11)

    def test_the_recall_that_was_measured_last_is_among_the_metrics(
        self, samples: VectorSamples, deployment: Deployment
    ) -> None:
        for found in (9, 8):
            samples.record(MODEL, Recall(1, found, 10))
        measured = {each.labels: each.value for each in deployment.measuring.collect() if each.metric is RECALL}
        assert measured == {(f"{MODEL.name} {MODEL.version}",): 0.8}
