"""Presentations are read in the order in which they are shown."""

from io import BytesIO
from pathlib import Path

import pptx
import pytest
from pptx.util import Inches

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.documents.document import ParsedDocument
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.files.file_types import FileType, recognise
from ingest_assets_tests.contracts.parser_contract import parse
from ingest_assets_tests.honest_files import OFFICE_PROGRAM, converted, picture
from ingest_assets_tests.sample_files import ODF, zipped


def presentation() -> bytes:
    """Three slides, of which the last made comes first and the one behind it is hidden; the first shows a scan."""
    shown = pptx.Presentation()
    for number, title in enumerate(["Hail nets", "Internal", "Silos"]):
        slide = shown.slides.add_slide(shown.slide_layouts[5])
        assert slide.shapes.title
        slide.shapes.title.text = title
        slide.notes_slide.notes_text_frame.text = f"Say {number} first."
        group = slide.shapes.add_group_shape()
        group.shapes.add_textbox(Inches(1), Inches(1), Inches(2), Inches(1)).text_frame.text = f"Grouped {number}"
    listed = shown.slides._sldIdLst
    listed.insert(0, listed[2])
    first, hidden, _ = shown.slides
    hidden._element.set("show", "0")
    first.shapes.add_picture(picture(), 0, 0, shown.slide_width, shown.slide_height)
    first.shapes.add_picture(picture(), 0, 0, Inches(1), Inches(1))
    file = BytesIO()
    shown.save(file)
    return file.getvalue()


def pages(parsed: ParsedDocument) -> list[list[str]]:
    ends = [*parsed.page_starts[1:], len(parsed.text)]
    return [
        [line for line in parsed.text[start:end].split("\n") if line]
        for start, end in zip(parsed.page_starts, ends, strict=True)
    ]


def test_slides_have_the_numbers_that_a_viewer_sees_and_their_notes(parser: LocalParser) -> None:
    parsed = parse(parser, presentation(), FileType.PPTX)

    assert pages(parsed) == [
        ["## Silos", "Grouped 2", "Notes: Say 2 first."],
        [],
        ["## Internal", "Grouped 1", "Notes: Say 1 first."],
    ]
    assert parsed.warnings == {"hidden_slides": 1, "pictures_without_text": 1}


@pytest.mark.skipif(OFFICE_PROGRAM is None, reason="LibreOffice is not here: its ODP and PPT were not tried")
def test_an_open_document_presentation_gives_the_same(parser: LocalParser, tmp_path: Path) -> None:
    content = converted(presentation(), "guide.pptx", "odp", tmp_path)
    parsed = parse(parser, content, recognise(content, "guide.odp"))

    assert pages(parsed) == pages(parse(parser, presentation(), FileType.PPTX))
    assert parsed.warnings[WarningKind.HIDDEN_SLIDES] == 1


@pytest.mark.skipif(OFFICE_PROGRAM is None, reason="LibreOffice is not here: its PPT was not tried")
def test_an_old_presentation_is_read(parser: LocalParser, tmp_path: Path) -> None:
    content = converted(presentation(), "guide.pptx", "ppt", tmp_path)
    text = parse(parser, content, recognise(content, "guide.ppt")).text

    assert all(words in text for words in ("Silos", "Grouped 0", "Say 2 first."))


def test_an_open_document_presentation_says_what_its_charts_and_the_foot_of_its_pages_say(parser: LocalParser) -> None:
    kinds = ("office", "text", "table", "chart", "presentation")
    names = " ".join(f'xmlns:{kind}="{ODF}{kind}:1.0"' for kind in kinds)
    names += f' xmlns:draw="{ODF}drawing:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"'
    cells = "".join(f"<table:table-cell><text:p>{text}</text:p></table:table-cell>" for text in ("Hail", "19.2"))
    chart = f"<chart:title><text:p>Losses</text:p></chart:title><table:table-row>{cells}</table:table-row>"
    foot = '<presentation:footer-decl presentation:name="f">Kestrel Court</presentation:footer-decl>'
    drawn = '<draw:frame><draw:object xlink:href="./Object 1"/></draw:frame>'
    slide = f'<draw:page presentation:use-footer-name="f">{drawn}</draw:page>'
    content = zipped(
        {
            "mimetype": FileType.ODP,
            "content.xml": f"<office:document-content {names}>{foot}{slide}</office:document-content>",
            "Object 1/content.xml": f"<chart:chart {names}>{chart}</chart:chart>",
        }
    )

    assert pages(parse(parser, content, FileType.ODP)) == [["Losses", "Hail 19.2", "Kestrel Court"]]
