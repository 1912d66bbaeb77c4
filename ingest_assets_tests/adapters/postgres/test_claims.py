"""The queue in Postgres."""

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.pipeline.ports.claiming import Backlog, Claims
from ingest_assets_tests.contracts.claiming_contract import BacklogContract, ClaimsContract


class TestPostgresClaims(ClaimsContract):
    @pytest.fixture
    def claims(self, deployment: Deployment) -> Claims:
        return deployment.claims


class TestPostgresBacklog(BacklogContract):
    @pytest.fixture
    def backlog(self, deployment: Deployment) -> Backlog:
        return deployment.backlog
