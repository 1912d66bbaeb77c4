"""What steps change, and what they left, in Postgres."""

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.pipeline.ports.processing import Changes, ChunkBuffer, VectorBuffer
from ingest_assets_tests.contracts.processing_contract import (
    ChangesContract,
    ChunkBufferContract,
    VectorBufferContract,
)


class TestPostgresChanges(ChangesContract):
    @pytest.fixture
    def changes(self, deployment: Deployment) -> Changes:
        return deployment.changes


class TestPostgresChunkBuffer(ChunkBufferContract):
    @pytest.fixture
    def chunk_buffer(self, deployment: Deployment) -> ChunkBuffer:
        return deployment.chunk_buffer


class TestPostgresVectorBuffer(VectorBufferContract):
    @pytest.fixture
    def vector_buffer(self, deployment: Deployment) -> VectorBuffer:
        return deployment.vector_buffer
