"""A small file that unfolds into very many documents: each attachment holds others, and each costs work and money."""

from dataclasses import replace

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.attachments import MOST_BELOW, Room
from ingest_assets.domain.documents.document import Attachment, UserId
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets_tests.documents import claim_one, drain_all, ingest, status_of, submit
from ingest_assets_tests.pipeline.test_attachments import in_mail, mail
from ingest_assets_tests.sample_files import zipped

MOST = 20


def unfolding(width: int) -> bytes:
    """An archive of mails with attachments; in both, there are as many as the width."""
    return zipped(
        {
            f"{one}.eml": mail(*((f"{two}.md", f"Clause {one} {two}.".encode()) for two in range(width)), text=f"{one}")
            for one in range(width)
        }
    )


@pytest.fixture
def narrow(deployment: Deployment) -> Deployment:
    """A deployment that opens archives and takes little out of one document."""
    opening = deployment.replacing(intake=replace(deployment.intake, archives=True))
    return opening.replacing(attachments=replace(opening.attachments, limit=Room(MOST, 10_000_000)))


def test_one_file_becomes_only_so_many_documents(narrow: Deployment, user: UserId) -> None:
    ingest(narrow, user, unfolding(9), "claims.zip")
    for _ in range(3):
        drain_all(narrow)
    counts = narrow.documents.counts()
    assert counts["documents"] <= 1 + MOST + 9 * narrow.settings.drain_in_flight
    with narrow.database.connection() as connection:
        [row] = connection.execute(
            "SELECT count(*) AS skipped FROM upload_pipeline.skipped_attachments WHERE code = 'too_many_attachments'"
        )
    assert row["skipped"] == 1 + 9 + 81 - counts["documents"]


def test_what_lies_below_one_file_is_limited_in_bytes_too(narrow: Deployment, user: UserId) -> None:
    small = narrow.replacing(attachments=replace(narrow.attachments, limit=Room(MOST, 30)))
    parent = ingest(small, user, mail(("a.md", b"x" * 20), ("b.md", b"y" * 20), ("c.md", b"z" * 9)), "mail.eml")
    found = in_mail(small, parent)
    assert found["b.md"] == "too_many_attachments"
    assert len(found) == 3
    assert status_of(small, parent).warnings == {WarningKind.ATTACHMENTS_SKIPPED: 1}


def test_reading_it_again_takes_nothing_away(narrow: Deployment, user: UserId) -> None:
    submit(narrow, user, mail(), "mail.eml")
    job = claim_one(narrow)
    files = [Attachment(f"{number}.md", f"Clause {number}.".encode()) for number in range(4)]
    narrow.attachments.take_in(job, files)
    stricter = replace(narrow.attachments, limit=Room(1, 1))
    assert stricter.take_in(job, files) == 0
    assert stricter.take_in(job, [*files, Attachment("more.md", b"Another clause.")]) == 1
    assert narrow.documents.counts()["documents"] == 5


def test_the_limit_is_beyond_what_people_send() -> None:
    assert MOST_BELOW >= 1000
