"""Documents in Postgres, as the deployment and as one user may see them."""

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.pipeline.ports.reading import Documents
from ingest_assets_tests.contracts.reading_contract import DocumentsContract
from ingest_assets_tests.documents import ingest, policy_text


class TestDocumentsOfEverybody(DocumentsContract):
    @pytest.fixture
    def documents(self, deployment: Deployment, user: UserId) -> Documents:  # noqa: ARG002  all users'
        return deployment.documents


class TestDocumentsOfOneUser(DocumentsContract):
    @pytest.fixture
    def documents(self, deployment: Deployment, user: UserId) -> Documents:
        return deployment.documents_of(user)


class TestDocumentsOfOneUserAmongOthers(DocumentsContract):
    @pytest.fixture
    def documents(self, deployment: Deployment, user: UserId, other_user: UserId) -> Documents:
        ingest(deployment, other_user, policy_text("Another user's"), "another.md")
        return deployment.documents_of(user)
