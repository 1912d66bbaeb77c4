"""Attachments in Postgres."""

import pytest

from ingest_assets.adapters.postgres.documents.attachments import PostgresAttachmentRecords
from ingest_assets.composition import Deployment
from ingest_assets.pipeline.ports.attachments import AttachmentRecords
from ingest_assets_tests.contracts.attachments_contract import AttachmentRecordsContract


class TestPostgresAttachmentRecords(AttachmentRecordsContract):
    @pytest.fixture
    def attachment_records(self, deployment: Deployment) -> AttachmentRecords:
        return PostgresAttachmentRecords(deployment.database)
