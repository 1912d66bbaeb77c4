"""What intake and deletion keep in Postgres."""

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.pipeline.ports.deleting import Deletions
from ingest_assets.pipeline.ports.intake import IntakeRecords
from ingest_assets_tests.contracts.deleting_contract import DeletionsContract
from ingest_assets_tests.contracts.intake_contract import IntakeRecordsContract


class TestPostgresIntakeRecords(IntakeRecordsContract):
    @pytest.fixture
    def records(self, deployment: Deployment) -> IntakeRecords:
        return deployment.intake_records


class TestPostgresDeletions(DeletionsContract):
    @pytest.fixture
    def deletions(self, deployment: Deployment) -> Deletions:
        return deployment.deletions
