"""Scans, faxes and photographs from their submission to the search that finds them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from ingest_assets.adapters.parsers.local import LocalParser, ParserLimits
from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.posix.ocr_languages import folder_of
from ingest_assets.settings import Settings
from ingest_assets_tests.conftest import deployment_for
from ingest_assets_tests.documents import drain_all, ingest, status_of, submit
from ingest_assets_tests.pipeline.test_attachments import in_mail, mail
from ingest_assets_tests.scans import as_file, as_pdf, faxed, typed

FILES = Path(__file__).parent / "files"
LETTER = [
    "Northgate Mutual, claims department",
    "",
    "The burst pipe at Harbour Terrace soaked the parquet of two rooms.",
    "We reserve 18,400 for drying and for a new floor of the same kind.",
    "The loss adjuster, Ms Okonkwo, will call before Thursday.",
]


@pytest.fixture(scope="module")
def recognising() -> Iterator[LocalParser]:
    parser = LocalParser(ParserLimits(ocr_folder=str(folder_of(["eng"]))))
    yield parser
    parser.close()


@pytest.fixture
def reading(settings: Settings, recognising: LocalParser) -> Iterator[Deployment]:
    with deployment_for(settings, recognising) as made:
        yield made


def found(deployment: Deployment, user: UserId, query: str) -> tuple[str, int | None]:
    """The text and the page of the passage that is found first."""
    hit = deployment.search.passages(user, query, 1)[0]
    return " ".join(hit.text.split()), hit.page


def test_a_scanned_page_among_typed_ones_is_found_as_they_are(reading: Deployment, user: UserId) -> None:
    document = ingest(reading, user, (FILES / "02_mixed_scan.pdf").read_bytes(), "policy.pdf")

    assert found(reading, user, "Fenwick Quay") == (found(reading, user, "warehouse insured as new")[0], 1)
    text, page = found(reading, user, "sprinkler warranty valves")
    assert "valves locked open at all times" in text
    assert page == 2
    assert found(reading, user, "Marrowgate brokers")[1] == 3
    assert status_of(reading, document).warnings == {}


def test_without_text_recognition_the_page_is_counted(deployment: Deployment, user: UserId) -> None:
    document = ingest(deployment, user, (FILES / "02_mixed_scan.pdf").read_bytes(), "policy.pdf")

    assert found(deployment, user, "Marrowgate brokers")[1] == 3
    assert status_of(deployment, document).warnings == {WarningKind.PAGES_WITHOUT_TEXT: 1}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("scan.pdf", lambda: as_pdf(typed(LETTER))),
        ("sideways.pdf", lambda: as_pdf(typed(LETTER).rotate(90, expand=True))),
        ("overhead.pdf", lambda: as_pdf(typed(LETTER).rotate(180))),
        ("stamped.pdf", lambda: as_pdf(typed(LETTER), stamp="Received 12 March")),
        ("photo.jpg", lambda: as_file("JPEG", typed(LETTER, dots_per_inch=300), quality=70)),
        ("screen.png", lambda: as_file("PNG", typed(LETTER, dots_per_inch=100))),
        (
            "fax.tif",
            lambda: as_file(
                "TIFF", faxed(typed(LETTER, dots_per_inch=300), 1, 98), compression="group4", dpi=(204, 98)
            ),
        ),
    ],
    ids=["a scan", "on its side", "upside down", "stamped", "a photograph", "a screenshot", "a fax"],
)
def test_whatever_shows_a_letter_is_found_by_its_words(
    reading: Deployment, user: UserId, name: str, content: Callable[[], bytes]
) -> None:
    document = ingest(reading, user, content(), name)

    text, page = found(reading, user, "Harbour Terrace parquet")
    assert "burst pipe at Harbour Terrace soaked the parquet" in text
    assert page == 1
    assert status_of(reading, document).warnings == {}


def test_each_page_of_a_fax_keeps_its_number(reading: Deployment, user: UserId) -> None:
    pages = [
        faxed(typed([f"The {word} clause of the endorsement."], dots_per_inch=300), 1, 196)
        for word in ("granite", "juniper", "walnut")
    ]
    ingest(reading, user, as_file("TIFF", *pages, compression="group4", dpi=(204, 196)), "fax.tiff")

    assert [found(reading, user, word)[1] for word in ("granite", "juniper", "walnut")] == [1, 2, 3]


def test_a_stamp_that_is_text_is_found_beside_the_page_that_it_is_on(reading: Deployment, user: UserId) -> None:
    ingest(reading, user, as_pdf(typed(LETTER), stamp="Received 12 March"), "stamped.pdf")

    assert "Received 12 March" in found(reading, user, "received March")[0]


def test_a_smudged_page_is_searchable_and_marked(reading: Deployment, user: UserId) -> None:
    smudged = typed(LETTER, dots_per_inch=40).resize((1240, 1754))
    document = ingest(reading, user, as_pdf(typed(LETTER), smudged), "smudged.pdf")

    assert found(reading, user, "Okonkwo")[1] == 1
    assert sum(status_of(reading, document).warnings.values()) == 1


def test_an_empty_sheet_is_no_page_without_text(reading: Deployment, user: UserId) -> None:
    document = ingest(reading, user, as_pdf(typed(LETTER), typed([])), "duplex.pdf")

    assert status_of(reading, document).warnings == {}


def test_pages_beyond_the_limit_are_counted_and_the_others_found(settings: Settings, user: UserId) -> None:
    limits = ParserLimits(ocr_folder=str(folder_of(["eng"])), ocr_pages=1)
    with closing(LocalParser(limits)) as parser, deployment_for(settings, parser) as deployment:
        document = ingest(deployment, user, as_pdf(typed(LETTER), typed(LETTER), typed(LETTER)), "three.pdf")

        assert found(deployment, user, "Okonkwo")[1] == 1
        assert status_of(deployment, document).warnings == {WarningKind.PAGES_WITHOUT_TEXT: 2}


def test_text_goes_first_and_the_scan_waits_for_its_turn(reading: Deployment, user: UserId) -> None:
    scan = submit(reading, user, as_pdf(typed(LETTER)), "scan.pdf").document_id
    texts = [submit(reading, user, f"Clause {number} covers hail.", f"{number}.md").document_id for number in range(9)]
    drain_all(reading)

    history = [event.code for event in reading.documents.history(scan)]
    finished = [status_of(reading, each).finished_at for each in (*texts, scan)]
    assert history.count("recognition_slow") == 1
    assert max(each for each in finished if each is not None) == finished[-1]


def photograph(seed: int) -> bytes:
    """A picture of no words."""
    return as_file("JPEG", Image.effect_noise((900, 900), 20 + seed).filter(ImageFilter.GaussianBlur(30)))


def test_a_photograph_attached_to_a_mail_is_found_by_its_name(reading: Deployment, user: UserId) -> None:
    content = mail(
        ("Hail-damage_greenhouse.jpg", photograph(1)), ("0.png", as_file("PNG", Image.new("L", (9, 9), 255)))
    )
    parent = ingest(reading, user, content, "loss.eml")
    drain_all(reading)

    attached = in_mail(reading, parent)
    photo, blank = attached["Hail-damage_greenhouse.jpg"], attached["0.png"]
    assert isinstance(photo, type(parent))
    assert isinstance(blank, type(parent))
    assert reading.search.passages(user, "greenhouse hail", 1)[0].document_id == photo
    assert status_of(reading, photo).warnings == {WarningKind.PICTURES_WITHOUT_TEXT: 1}
    assert status_of(reading, blank).searchable


def test_a_photograph_by_itself_and_a_scan_of_no_words_in_a_mail_are_dead_letters(
    reading: Deployment, user: UserId
) -> None:
    alone = submit(reading, user, photograph(2), "greenhouse.jpg").document_id
    roof = photograph(3)
    shared = submit(reading, user, roof, "roof.jpg").document_id
    content = mail(("again.jpg", roof), ("scan.pdf", as_pdf(Image.open(BytesIO(photograph(4))))))
    parent = ingest(reading, user, content, "loss.eml")
    drain_all(reading)

    scan = in_mail(reading, parent)["scan.pdf"]
    assert isinstance(scan, type(parent))
    assert in_mail(reading, parent)["again.jpg"] == shared
    assert [status_of(reading, each).error_code for each in (alone, shared, scan)] == ["needs_ocr"] * 3
