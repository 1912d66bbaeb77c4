"""What deployments know of each other through Postgres."""

from datetime import timedelta

import pytest

from ingest_assets.adapters.postgres.queue.instances import GRACE, KEPT, LEASE, PostgresInstances
from ingest_assets.composition import Deployment
from ingest_assets.pipeline.ports.instances import Instances, Listings
from ingest_assets_tests.contracts.instances_contract import HERE, InstancesContract, ListingsContract, Named


class TestPostgresInstances(InstancesContract):
    @pytest.fixture
    def named(self, deployment: Deployment) -> Named:
        def made(name: str, boot: str = "boot") -> Instances:
            lease, grace = timedelta(0) if name == "brief" else LEASE, GRACE if name == "slow" else timedelta(0)
            return PostgresInstances(deployment.database, name, boot, lease, grace)

        return made

    def test_deployments_that_ended_long_ago_are_forgotten(self, named: Named, deployment: Deployment) -> None:
        for name in ("old", "recent"):
            named(name).renew(HERE)
            named(name).end()
        with deployment.database.connection() as connection:
            connection.execute(
                "UPDATE upload_pipeline.instances SET lease_expires_at = now() - %s WHERE name = 'old'", [2 * KEPT]
            )
            named("new").renew(HERE)
            rows = connection.execute("SELECT name FROM upload_pipeline.instances ORDER BY name").fetchall()
        assert [row["name"] for row in rows] == ["new", "recent"]


class TestPostgresListings(ListingsContract):
    @pytest.fixture
    def listings(self, deployment: Deployment) -> Listings:
        return deployment.listings
