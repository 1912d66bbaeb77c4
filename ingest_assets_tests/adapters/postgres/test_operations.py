"""What people and Dagster ask of the queue in Postgres."""

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.pipeline.ports.operating import Flows, Operations, Pauses
from ingest_assets.pipeline.ports.recording import Records
from ingest_assets.pipeline.ports.reporting import Partitions, Reports
from ingest_assets_tests.contracts.operating_contract import FlowsContract, OperationsContract, PausesContract
from ingest_assets_tests.contracts.recording_contract import RecordsContract
from ingest_assets_tests.contracts.reporting_contract import PartitionsContract, ReportsContract


class TestPostgresOperations(OperationsContract):
    @pytest.fixture
    def operations(self, deployment: Deployment) -> Operations:
        return deployment.operations


class TestPostgresReports(ReportsContract):
    @pytest.fixture
    def reports(self, deployment: Deployment) -> Reports:
        return deployment.reports


class TestPostgresPartitions(PartitionsContract):
    @pytest.fixture
    def partitions(self, deployment: Deployment) -> Partitions:
        return deployment.partitions


class TestPostgresFlows(FlowsContract):
    @pytest.fixture
    def flows(self, deployment: Deployment) -> Flows:
        return deployment.flows


class TestPostgresRecords(RecordsContract):
    @pytest.fixture
    def records(self, deployment: Deployment) -> Records:
        return deployment.records


class TestPostgresPauses(PausesContract):
    @pytest.fixture
    def pauses(self, deployment: Deployment) -> Pauses:
        return deployment.pauses
