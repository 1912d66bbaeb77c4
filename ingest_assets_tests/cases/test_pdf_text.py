"""What PDF files say, from their submission to the search that finds it."""

import ctypes
import re
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest
from pypdfium2 import PdfDocument, raw
from reportlab.pdfgen.canvas import Canvas

from ingest_assets.composition import Deployment
from ingest_assets.domain.documents.document import UserId
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.search.hits import Hit
from ingest_assets_tests.documents import ingest, status_of

FILES = Path(__file__).parent / "files"


def passages(deployment: Deployment, user: UserId, query: str) -> list[Hit]:
    return deployment.search.passages(user, query, 5)


def table(rows: Sequence[Sequence[str]], columns: Sequence[int], rows_of_a_page: int = 40) -> bytes:
    """A table without rules, over as many pages as it takes."""
    file = BytesIO()
    canvas = Canvas(file)
    for number, row in enumerate(rows):
        for cell, column in zip(row, columns, strict=True):
            canvas.drawString(column, 780 - 17 * (number % rows_of_a_page), cell)
        if number % rows_of_a_page == rows_of_a_page - 1:
            canvas.showPage()
    canvas.save()
    return file.getvalue()


def test_parted_words_are_whole_and_ligatures_are_letters(deployment: Deployment, user: UserId) -> None:
    ingest(deployment, user, (FILES / "24_hyphens_ligatures.pdf").read_bytes(), "conditions.pdf")

    [hit] = passages(deployment, user, "subrogation")
    for words in ("right of subrogation", "pumps is required", "verification of the flood profile", "efficiency"):
        assert words in hit.text
    assert hit.text.count("non-refundable deposit") == 2
    assert "underwriting, coinsurance" in hit.text


def test_a_table_over_pages_keeps_its_rows_and_its_header(deployment: Deployment, user: UserId) -> None:
    ingest(deployment, user, (FILES / "27_table_over_pages.pdf").read_bytes(), "inventory.pdf")

    hit = passages(deployment, user, "Item 97 replacement value")[0]
    assert hit.page == 3
    assert re.search(r"^.*Item 97\b.*\b13300\.50\b.*$", hit.text, re.MULTILINE)
    assert hit.text.startswith("| Position | Room | Replacement value |")


def test_rows_of_a_table_without_rules_stay_rows(deployment: Deployment, user: UserId) -> None:
    rows = [("Cover", "Sum insured", "Excess"), ("Glass", "5,000", "none"), ("Storm", "120,000", "500")]
    rows += [("Escape of water", "80,000", "250"), ("Theft", "30,000", "")]
    ingest(deployment, user, table(rows, (72, 240, 380)), "schedule.pdf")

    text = passages(deployment, user, "escape of water excess")[0].text
    assert "| Escape of water | 80,000 | 250 |" in text
    assert "| Theft | 30,000 |  |" in text


def test_two_columns_of_text_are_read_one_after_the_other(deployment: Deployment, user: UserId) -> None:
    left = [f"The {word} clause of this policy says that" for word in ("first", "second", "third", "fourth")]
    right = [f"we pay for the {word} kind of damage here" for word in ("fifth", "sixth", "seventh", "eighth")]
    ingest(deployment, user, table(list(zip(left, right, strict=True)), (60, 320)), "columns.pdf")

    assert "|" not in passages(deployment, user, "second clause of this policy")[0].text


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rows_of_a_turned_page_stay_rows(deployment: Deployment, user: UserId, degrees: int) -> None:
    file = BytesIO()
    canvas = Canvas(file, (842, 595) if degrees != 180 else (595, 842))
    canvas.setPageRotation(degrees)
    for number, row in enumerate([("Cover", "Excess"), ("Glass", "none"), ("Storm", "500"), ("Theft", "250")]):
        canvas.drawString(72, 500 - 17 * number, row[0])
        canvas.drawString(240, 500 - 17 * number, row[1])
    canvas.save()
    ingest(deployment, user, file.getvalue(), "turned.pdf")

    assert re.search(r"Storm\W+500", passages(deployment, user, "storm excess")[0].text)


def test_a_file_within_a_file_is_said_not_to_be_read(deployment: Deployment, user: UserId) -> None:
    holder = PdfDocument(table([("The policy holds an attachment.",)], (72,)))
    holder.new_attachment("claim.txt").set_data(b"a claim")
    file = BytesIO()
    holder.save(file)
    document = ingest(deployment, user, file.getvalue(), "holder.pdf")

    assert status_of(deployment, document).warnings == {WarningKind.EMBEDDED_OBJECTS: 1}


def form() -> bytes:
    file = BytesIO()
    canvas = Canvas(file)
    canvas.drawString(72, 780, "Claim notification")
    fields = canvas.acroForm
    canvas.drawString(72, 740, "Policy number")
    fields.textfield(name="f1", x=200, y=730, width=200, height=20, value="HH-4471-2025")
    canvas.drawString(72, 712, "Describe what happened")
    fields.textfield(name="f2", x=72, y=680, width=400, height=20, value="A chestnut tree fell on the carport")
    canvas.drawString(72, 650, "Cause of loss")
    fields.choice(name="f3", x=200, y=640, width=200, height=20, value="Storm", options=["Fire", "Storm", "Flood"])
    canvas.drawString(72, 610, "Police informed")
    fields.checkbox(name="f4", x=200, y=605, checked=True)
    fields.checkbox(name="f5", x=72, y=575, checked=False)
    canvas.drawString(100, 580, "Total loss")
    for value, x in (("owner", 72), ("tenant", 200)):
        fields.radio(name="f6", value=value, selected=value == "tenant", x=x, y=545)
        canvas.drawString(x + 28, 550, value.title())
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def test_a_filled_form_is_found_by_its_values_beside_their_labels(deployment: Deployment, user: UserId) -> None:
    ingest(deployment, user, form(), "claim.pdf")

    lines = passages(deployment, user, "chestnut carport")[0].text.split("\n")
    assert [line for line in lines if ":" in line or "[" in line] == [
        "Policy number: HH-4471-2025",
        "Describe what happened: A chestnut tree fell on the carport",
        "Cause of loss: Storm",
        "- [x] Police informed",
        "- [ ] Total loss",
        "- [ ] Owner",
        "- [x] Tenant",
    ]


def noted() -> bytes:
    file = BytesIO()
    canvas = Canvas(file)
    canvas.drawString(72, 780, "Claimant")
    canvas.freeTextAnnotation("Ada Threlkeld of Gullwing Row", "/Helv 12 Tf 0 g", Rect=[140, 775, 300, 795])
    canvas.textAnnotation("Ask the assessor for a second quotation", Rect=[72, 700, 92, 720])
    canvas.textAnnotation("Nobody sees this", Rect=[72, 600, 92, 620], F=2)
    canvas.showPage()
    canvas.save()
    return stamped(file.getvalue(), "SETTLED Kestrel Court")


def stamped(content: bytes, text: str) -> bytes:
    """The first page with a stamp that draws its text and names it nowhere."""
    document = PdfDocument(content)
    page = document[0]
    annotation = raw.FPDFPage_CreateAnnot(page, raw.FPDF_ANNOT_STAMP)
    raw.FPDFAnnot_SetRect(annotation, raw.FS_RECTF(72, 550, 300, 500))
    words = raw.FPDFPageObj_NewTextObj(document, b"Helvetica", 12)
    raw.FPDFText_SetText(words, (ctypes.c_ushort * (len(text) + 1))(*map(ord, text), 0))
    raw.FPDFPageObj_Transform(words, 1, 0, 0, 1, 80, 520)
    raw.FPDFAnnot_AppendObject(annotation, words)
    raw.FPDFPage_CloseAnnot(annotation)
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def test_what_was_typed_noted_and_stamped_onto_a_page_is_found(deployment: Deployment, user: UserId) -> None:
    ingest(deployment, user, noted(), "claim.pdf")

    assert passages(deployment, user, "Threlkeld")[0].text.split("\n")[-3:] == [
        "Ada Threlkeld of Gullwing Row",
        "Comment: Ask the assessor for a second quotation",
        "SETTLED Kestrel Court",
    ]
    assert "Nobody sees" not in passages(deployment, user, "Threlkeld")[0].text
