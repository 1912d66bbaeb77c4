"""Documents in Postgres, as the deployment and as one user may see them."""

from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.pipeline.ports.reading import Announcements, Documents
from ingest_assets_tests.adapters.postgres.test_audit_export import Writer
from ingest_assets_tests.contracts.reading_contract import AnnouncementsContract, DocumentsContract
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


class TestAnnouncements(AnnouncementsContract):
    @pytest.fixture
    def announcements(self, deployment: Deployment) -> Announcements:
        return deployment.announcements()


@pytest.fixture
def writers(database_url: str) -> Iterator[tuple[Writer, Writer]]:
    with ExitStack() as ending:
        yield Writer(database_url, ending), Writer(database_url, ending)


def test_the_horizon_waits_for_whoever_may_yet_show_an_earlier_event(
    deployment: Deployment, writers: tuple[Writer, Writer]
) -> None:
    announcements = deployment.announcements()
    slow, quick = writers
    slow.write()
    second = quick.write()
    quick.connection.commit()
    assert announcements.horizon() is None
    assert announcements.horizon() is None
    slow.connection.commit()
    assert announcements.horizon() == second


def test_the_horizon_does_not_wait_for_whoever_begins_to_write_meanwhile(
    deployment: Deployment, writers: tuple[Writer, Writer]
) -> None:
    announcements = deployment.announcements()
    first, second = writers
    seen = first.write()
    first.connection.commit()
    first.write()
    assert announcements.horizon() is None
    later = second.write()
    first.connection.rollback()
    assert announcements.horizon() == seen
    assert announcements.horizon() is None
    second.connection.commit()
    assert announcements.horizon() == seen
    assert announcements.horizon() == later


def test_what_another_transaction_only_reads_does_not_hold_up_the_horizon(
    deployment: Deployment, database_url: str, writers: tuple[Writer, Writer]
) -> None:
    written = writers[0].write()
    writers[0].connection.commit()
    with psycopg.connect(database_url) as reader:
        reader.execute("SELECT count(*) FROM upload_pipeline.events")
        assert deployment.announcements().horizon() == written
