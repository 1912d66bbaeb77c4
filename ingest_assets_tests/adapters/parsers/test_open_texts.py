"""Texts of OpenDocument are read as they are shown."""

from pathlib import Path

import pytest

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.files.file_types import FileType, recognise
from ingest_assets_tests.cases.found import FILES
from ingest_assets_tests.contracts.parser_contract import parse
from ingest_assets_tests.honest_files import OFFICE_PROGRAM, converted
from ingest_assets_tests.sample_files import ODF, open_document

LEVEL = (
    '<text:list-level-style-number text:level="{}" style:num-format="{}" style:num-suffix="{}"'
    ' text:display-levels="{}"/>'
)
CLAUSES = LEVEL.format(1, "1", ".", 1) + LEVEL.format(2, "1", "", 2) + LEVEL.format(3, "a", ")", 1)
BULLETS = '<text:list-level-style-bullet text:level="1" text:bullet-char="•"/>'


def text(body: str, lists: str = "") -> bytes:
    styles = f'<s xmlns:style="{ODF}style:1.0"><text:list-style style:name="L">{lists}</text:list-style></s>'
    return open_document(FileType.ODT, f"{styles}<office:text>{body}</office:text>")


def paragraph(inner: str) -> str:
    return f"<text:p>{inner}</text:p>"


def item(*inner: str) -> str:
    return f"<text:list-item>{''.join(inner)}</text:list-item>"


def listed(*items: str, more: str = 'text:style-name="L"') -> str:
    return f"<text:list {more}>{''.join(items)}</text:list>"


def lines(parser: LocalParser, content: bytes) -> list[str]:
    return [line for line in parse(parser, content, FileType.ODT).text.split("\n") if line]


def test_clauses_have_their_numbers(parser: LocalParser) -> None:
    deepest = listed(item(paragraph("glazing")), item(paragraph("roofs"), paragraph("and gutters")), more="")
    inner = listed(item(paragraph("War")), item(paragraph("Wear"), deepest), more="")
    body = listed(item(paragraph("Cover")), item(paragraph("Exclusions"), inner))

    shown = ["1. Cover", "2. Exclusions", "2.1 War", "2.2 Wear", "a) glazing", "b) roofs", "and gutters"]
    assert lines(parser, text(body, CLAUSES)) == shown


def test_a_list_begins_anew_unless_it_continues_another(parser: LocalParser) -> None:
    one = listed(item(paragraph("Fire")))
    continued = listed(item(paragraph("Hail")), more='text:style-name="L" text:continue-numbering="true"')

    assert lines(parser, text(one + continued + one, CLAUSES)) == ["1. Fire", "2. Hail", "1. Fire"]


def test_bullets_stay_bullets(parser: LocalParser) -> None:
    assert lines(parser, text(listed(item(paragraph("Fire")), item(paragraph("Hail"))), BULLETS)) == [
        "- Fire",
        "- Hail",
    ]


def test_notes_and_comments_stand_behind_their_paragraph(parser: LocalParser) -> None:
    note = '<text:note text:note-class="{}"><text:note-citation>1</text:note-citation>{}</text:note>'
    creator = '<dc:creator xmlns:dc="http://purl.org/dc/elements/1.1/">Underwriter</dc:creator>'
    comment = f"<office:annotation>{creator}{paragraph('Agreed.')}</office:annotation>"
    body = paragraph(
        f"Boats{note.format('footnote', paragraph('Not afloat.'))} are{comment} covered"
        f"{note.format('endnote', paragraph('See annex.'))}."
    )

    shown = lines(parser, text(body + paragraph("End.")))

    assert shown[0] == "Boats[footnote 1] are covered[endnote 1]."
    assert sorted(shown[1:4]) == ["Comment by Underwriter: Agreed.", "Endnote 1: See annex.", "Footnote 1: Not afloat."]
    assert shown[4] == "End."


def test_what_was_deleted_is_gone(parser: LocalParser) -> None:
    deleted = f"<text:changed-region><text:deletion>{paragraph('Old rates.')}</text:deletion></text:changed-region>"

    shown = lines(parser, text(f"<text:tracked-changes>{deleted}</text:tracked-changes>{paragraph('New rates.')}"))

    assert shown == ["New rates."]


@pytest.mark.skipif(OFFICE_PROGRAM is None, reason="LibreOffice is not here: its ODT was not tried")
@pytest.mark.parametrize(
    ("name", "found", "lost"),
    [
        (
            "05_tracked_changes_and_comment.docx",
            ["is seven hundred fifty per", "Comment by underwriter: Broker"],
            "two hu",
        ),
        ("06_header_footnote_textbox.docx", ["HH-7730-5512", "Kestrel Court", "Footnote 1: Only if locked"], "[^1]"),
        ("08_automatic_clause_numbers.docx", ["2.2 Wear and tear", "(b) solar panels", "Section 2 Excl"], "- solar"),
    ],
)
def test_what_libreoffice_saves_of_the_cases_is_read_alike(
    parser: LocalParser, tmp_path: Path, name: str, found: list[str], lost: str
) -> None:
    content = converted((FILES / name).read_bytes(), name, "odt", tmp_path)
    shown = parse(parser, content, recognise(content, "policy.odt")).text

    assert all(words in shown for words in found)
    assert lost not in shown
