"""ZIP archives are folders, too, where that is wanted."""

from dataclasses import replace
from zipfile import ZIP_STORED

import pytest

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.attachments import MOST_ATTACHMENTS
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.errors import PermanentError
from ingest_assets_tests.documents import drain_all, ingest, status_of, submit
from ingest_assets_tests.pipeline.test_attachments import in_mail, mail
from ingest_assets_tests.sample_files import docx, pdf, with_encrypted_flag, zipped


@pytest.fixture
def opening(deployment: Deployment) -> Deployment:
    """The deployment with INGEST_ARCHIVES."""
    return deployment.replacing(intake=replace(deployment.intake, archives=True))


def test_archives_are_refused_by_default(deployment: Deployment, user: UserId) -> None:
    with pytest.raises(PermanentError, match="archive_refused"):
        submit(deployment, user, zipped({"a.md": "The walrus."}), "claims.zip")


def test_the_files_of_an_archive_are_documents(opening: Deployment, user: UserId) -> None:
    content = zipped(
        {
            "2024/policy.pdf": pdf("The walrus is covered."),
            "2024/letter.docx": docx("The otter is covered."),
            "__MACOSX/._policy.pdf": b"x",
            "2024/Thumbs.db": b"x",
            "noise.bin": bytes(range(256)),
            "inner.zip": zipped({"b.md": "The ferret."}),
        },
        ZIP_STORED,
    )
    parent = ingest(opening, user, content, "claims.zip")
    drain_all(opening)
    found = in_mail(opening, parent)
    assert found.keys() == {"2024/policy.pdf", "2024/letter.docx", "noise.bin"}
    assert found["noise.bin"] == "unsupported"
    assert status_of(opening, parent).warnings == {WarningKind.ATTACHMENTS_SKIPPED: 2}
    assert opening.search.passages(user, "walrus", 1)[0].filename == "policy.pdf"
    assert "- 2024/letter.docx" in opening.search.passages(user, "2024/letter.docx", 1)[0].text


def test_an_archive_that_is_attached_to_a_mail_is_opened(opening: Deployment, user: UserId) -> None:
    archive = zipped({"a.md": "The walrus."})
    parent = ingest(opening, user, mail(("claims.zip", archive)), "mail.eml")
    for _ in range(2):
        drain_all(opening)
    assert in_mail(opening, parent)["claims.zip"] not in ("unsupported", "archive_refused")
    assert opening.search.passages(user, "walrus", 1)[0].filename == "a.md"


def test_an_archive_behind_a_password_says_so(opening: Deployment, user: UserId) -> None:
    content = with_encrypted_flag(zipped({"a.md": "The walrus."}), "a.md")
    parent = ingest(opening, user, content, "claims.zip")
    assert status_of(opening, parent).error_code == "encrypted"


def test_an_archive_that_unpacks_to_too_much_is_refused(opening: Deployment, user: UserId) -> None:
    with pytest.raises(PermanentError, match="bomb"):
        submit(opening, user, zipped({"a.md": b"0" * 60_000_000}), "bomb.zip")


def test_another_package_is_no_archive(opening: Deployment, user: UserId) -> None:
    with pytest.raises(PermanentError, match="unsupported"):
        submit(opening, user, zipped({"META-INF/MANIFEST.MF": "x"}), "program.jar")


def test_very_long_names_are_as_good_as_short_ones(opening: Deployment, user: UserId) -> None:
    names = [f"{'x' * 5000}{chr(0x1F300 + number % 100) * 595}{number:03}.md" for number in range(MOST_ATTACHMENTS + 2)]
    content = zipped({name: f"Clause {number} covers a walrus." for number, name in enumerate(names)})

    parent = ingest(opening, user, content, "claims.zip")

    assert status_of(opening, parent).warnings == {WarningKind.ATTACHMENTS_SKIPPED: 2}
    assert set(in_mail(opening, parent)) == {name[-600:] for name in names[:MOST_ATTACHMENTS]}


def test_of_names_that_are_alike_where_they_are_kept_the_others_are_counted(opening: Deployment, user: UserId) -> None:
    content = zipped({f"{number}/{'x' * 700}.md": f"Clause {number}." for number in range(3)})

    parent = ingest(opening, user, content, "claims.zip")

    assert len(in_mail(opening, parent)) == 1
    assert status_of(opening, parent).warnings == {WarningKind.ATTACHMENTS_SKIPPED: 2}
