"""What the database must know of its store."""

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.pipeline.ports.object_store import StoreIds


class StoreIdsContract:
    """A suite gives the fixture `store_ids`: those of its deployment."""

    @pytest.fixture
    def store_ids(self, deployment: Deployment) -> StoreIds:
        raise NotImplementedError

    def test_the_id_stays(self, store_ids: StoreIds) -> None:
        assert store_ids.store_id() == store_ids.store_id()
