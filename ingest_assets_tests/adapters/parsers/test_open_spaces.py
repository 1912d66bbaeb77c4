"""Tabs, breaks of lines and repeated spaces part words in all kinds of OpenDocument, and in other slides."""

from io import BytesIO

import pptx
import pytest
from pptx.util import Inches

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.files.file_types import FileType
from ingest_assets_tests.contracts.parser_contract import parse
from ingest_assets_tests.sample_files import ODF, open_document

NAMES = f'xmlns:draw="{ODF}drawing:1.0" xmlns:presentation="{ODF}presentation:1.0"'
PARTED = (
    "one<text:tab/>two<text:line-break/>three<text:s text:c='3'/>four"
    "<text:span>five<text:s/>six<text:tab>&#10;</text:tab></text:span>"
)
TITLE = '<draw:frame presentation:class="title"><draw:text-box>{}</draw:text-box></draw:frame>'
NOTE = '<text:note text:note-class="footnote"><text:note-body>{}</text:note-body></text:note>'


def words(parser: LocalParser, body: str, file_type: FileType) -> str:
    text = parse(parser, open_document(file_type, body), file_type).text
    return " ".join(text.split())


@pytest.mark.parametrize(
    "around",
    [
        "<text:h text:outline-level='1'>{}</text:h>",
        "<text:p>{}</text:p>",
        "<text:list><text:list-item><text:p>{}</text:p></text:list-item></text:list>",
        "<table:table><table:table-row><table:table-cell><text:p>{}</text:p></table:table-cell></table:table-row>"
        "</table:table>",
        f"<text:p>Boats{NOTE.format('<text:p>{}</text:p>')}</text:p>",
        "<text:p>Boats<office:annotation><text:p>{}</text:p></office:annotation></text:p>",
    ],
)
def test_words_of_a_text_stay_apart(parser: LocalParser, around: str) -> None:
    shown = words(parser, f"<office:text>{around.format(PARTED)}<text:p>End.</text:p></office:text>", FileType.ODT)

    assert "one two three fourfive six" in shown
    assert shown.count("End.") == 1


@pytest.mark.parametrize("frame", [TITLE, "<draw:frame>{}</draw:frame>"])
def test_words_of_a_slide_stay_apart(parser: LocalParser, frame: str) -> None:
    shape = frame.format(f"<text:p>{PARTED}</text:p>")
    page = f"<draw:page {NAMES}>{shape}</draw:page>"

    assert "one two three fourfive six" in words(
        parser, f"<office:presentation>{page}</office:presentation>", FileType.ODP
    )


@pytest.mark.parametrize("around", ["{}", "<office:annotation>{}</office:annotation><text:p>x</text:p>"])
def test_words_of_a_sheet_stay_apart(parser: LocalParser, around: str) -> None:
    cell = f"<table:table-cell>{around.format(f'<text:p>{PARTED}</text:p>')}</table:table-cell>"
    table = f"<table:table table:name='a'><table:table-row>{cell}</table:table-row></table:table>"

    assert "one two three fourfive six" in words(
        parser, f"<office:spreadsheet>{table}</office:spreadsheet>", FileType.ODS
    )


def test_very_many_spaces_take_no_longer_than_they_should(parser: LocalParser) -> None:
    body = f"<office:text><text:p>{'a<text:s/>' * 300_000}</text:p></office:text>"

    assert words(parser, body, FileType.ODT).count("a a") == 150_000


def test_words_of_other_slides_stay_apart(parser: LocalParser) -> None:
    shown = pptx.Presentation()
    slide = shown.slides.add_slide(shown.slide_layouts[5])
    assert slide.shapes.title
    assert slide.notes_slide.notes_text_frame
    slide.shapes.title.text_frame.text = "One\vtwo\tthree"
    slide.notes_slide.notes_text_frame.text = "Say\vit\tagain"
    slide.shapes.add_textbox(Inches(1), Inches(1), Inches(2), Inches(1)).text_frame.text = "in\va\tbox"
    file = BytesIO()
    shown.save(file)

    text = " ".join(parse(parser, file.getvalue(), FileType.PPTX).text.split())

    assert "One two three" in text
    assert "Say it again" in text
    assert "in a box" in text
