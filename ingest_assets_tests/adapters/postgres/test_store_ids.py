"""The id of the object store, in Postgres."""

import pytest

from ingest_assets.adapters.postgres.database import Database
from ingest_assets.adapters.postgres.documents.store_ids import PostgresStoreIds
from ingest_assets.adapters.postgres.migrations import migrate
from ingest_assets.composition import Deployment
from ingest_assets.pipeline.ports.object_store import StoreIds
from ingest_assets_tests.contracts.store_ids_contract import StoreIdsContract


class TestPostgresStoreIds(StoreIdsContract):
    @pytest.fixture
    def store_ids(self, deployment: Deployment) -> StoreIds:
        return PostgresStoreIds(deployment.database)


def test_another_database_has_another_id(deployment: Deployment, empty_database_url: str) -> None:
    migrate(empty_database_url)
    other = Database(empty_database_url)
    assert PostgresStoreIds(other).store_id() != PostgresStoreIds(deployment.database).store_id()
    other.close()
