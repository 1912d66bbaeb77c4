"""Searches, the vector index and its measure in Postgres."""

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.pipeline.ports.indexing import VectorIndex, VectorSamples
from ingest_assets.pipeline.ports.searching import SearchIndex
from ingest_assets_tests.contracts.indexing_contract import VectorIndexContract, VectorSamplesContract
from ingest_assets_tests.contracts.searching_contract import SearchIndexContract


class TestPostgresSearchIndex(SearchIndexContract):
    @pytest.fixture
    def index(self, deployment: Deployment) -> SearchIndex:
        return deployment.search_index


class TestPostgresVectorIndex(VectorIndexContract):
    @pytest.fixture
    def index(self, deployment: Deployment) -> VectorIndex:
        return deployment.vector_index


class TestPostgresVectorSamples(VectorSamplesContract):
    @pytest.fixture
    def samples(self, deployment: Deployment) -> VectorSamples:
        return deployment.vector_samples
