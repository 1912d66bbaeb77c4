"""Spreadsheets are read as they are shown, and what is hidden is counted."""

from collections.abc import Callable
from datetime import date, datetime
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.worksheet.worksheet import Worksheet

from ingest_assets.adapters.parsers.local import LocalParser
from ingest_assets.domain.documents.document import ParsedDocument
from ingest_assets.domain.files.file_types import FileType, recognise
from ingest_assets_tests.contracts.parser_contract import parse, refusal
from ingest_assets_tests.honest_files import OFFICE_PROGRAM, converted
from ingest_assets_tests.hostile.files import _sheet as sheet_file

RATES = [
    ("Peril", "Rate", "Since", "Account"),
    ("Fire", 0.075, date(2026, 3, 15), "0049"),
    ("Hail", 0.5, None, "7"),
]
Change = Callable[[Worksheet], object]


def workbook(change: Change | None = None) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Rates"
    for row in RATES:
        sheet.append(row)
    for number in (2, 3):
        sheet.cell(number, 2).number_format = "0.0%"
        sheet.cell(number, 3).number_format = "dd.mm.yyyy"
    if change:
        change(sheet)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def read(parser: LocalParser, change: Change | None = None) -> ParsedDocument:
    return parse(parser, workbook(change), FileType.XLSX)


def lines(parsed: ParsedDocument) -> list[str]:
    return [line for line in parsed.text.split("\n") if line and not line.startswith("| ---")]


def test_values_are_shown_as_in_their_cells(parser: LocalParser) -> None:
    assert lines(read(parser)) == [
        "## Rates",
        "| Peril | Rate | Since | Account |",
        "| Fire | 7.5 % | 15.03.2026 | 0049 |",
        "| Hail | 50.0 % |  | 7 |",
    ]


@pytest.mark.skipif(OFFICE_PROGRAM is None, reason="LibreOffice is not here: its XLS and ODS were not tried")
@pytest.mark.parametrize("target", ["xls", "ods"])
def test_other_programs_files_give_the_same(parser: LocalParser, tmp_path: Path, target: str) -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.row_dimensions[3].hidden = True
        sheet.column_dimensions["D"].hidden = True
        sheet.parent.create_sheet("Old").append(["Theft"])
        sheet.parent["Old"].sheet_state = "hidden"

    content = converted(workbook(hide), "rates.xlsx", target, tmp_path)
    parsed = parse(parser, content, recognise(content, f"rates.{target}"))

    assert lines(parsed) == ["## Rates", "| Peril | Rate | Since |", "| Fire | 7.5 % | 15.03.2026 |"]
    assert parsed.warnings == {"hidden_sheets": 1, "hidden_rows": 2}


def test_what_is_hidden_is_left_out_and_counted(parser: LocalParser) -> None:
    def hide(sheet: Worksheet) -> None:
        sheet.row_dimensions[3].hidden = True
        sheet.row_dimensions[9].hidden = True  # empty
        sheet.column_dimensions.group("C", "D", hidden=True)
        for state in ("hidden", "veryHidden"):
            other = sheet.parent.create_sheet(state)
            other.sheet_state = state
            other.append(["Theft"])

    parsed = read(parser, hide)

    assert lines(parsed) == ["## Rates", "| Peril | Rate |", "| Fire | 7.5 % |"]
    assert parsed.warnings == {"hidden_sheets": 2, "hidden_rows": 3}


def test_a_merged_cell_stands_in_each_row_that_it_reaches(parser: LocalParser) -> None:
    def merge(sheet: Worksheet) -> None:
        sheet["A3"] = None
        sheet.merge_cells("A2:A3")

    assert lines(read(parser, merge))[2:] == ["| Fire | 7.5 % | 15.03.2026 | 0049 |", "| Fire | 50.0 % |  | 7 |"]


def test_notes_heads_and_feet_of_pages_are_there(parser: LocalParser) -> None:
    def annotate(sheet: Worksheet) -> None:
        sheet["B2"].comment = Comment("Agreed with the broker.", "Underwriter")
        sheet.oddHeader.left.text = "Policy HH-7730"
        sheet.oddFooter.right.text = "Page &P of Kestrel Court"

    found = lines(read(parser, annotate))

    assert found[1] == "Policy HH-7730"
    assert found[-2:] == ["Page of Kestrel Court", "Comment by Underwriter on B2: Agreed with the broker."]


def test_titles_of_charts_are_there(parser: LocalParser) -> None:
    def draw(sheet: Worksheet) -> None:
        for target, title in ((sheet, "Rates by peril"), (sheet.parent.create_chartsheet("Chart"), "All rates")):
            chart = BarChart()
            chart.title = title
            chart.add_data(Reference(sheet, min_col=2, min_row=1, max_row=3), titles_from_data=True)
            target.add_chart(chart)

    assert lines(read(parser, draw))[-3:] == ["Rates by peril", "## Chart", "All rates"]


def test_formulas_are_shown_by_what_they_came_to(parser: LocalParser) -> None:
    def cell(reference: str, inner: str, kind: str = "n") -> str:
        return f'<c r="{reference}" t="{kind}">{inner}</c>'

    row = (
        cell("A1", "<f>1+1</f><v>2</v>")
        + cell("B1", '<f>"a"</f><v>fire_x0009_side</v>', "str")
        + cell("C1", "<v>1</v>", "b")
    )
    row += cell("D1", "<f>1/0</f><v>#DIV/0!</v>", "e") + cell(
        "E1", "<is><r><t>rich </t></r><r><t>_x0074_ext</t></r></is>", "inlineStr"
    )

    assert lines(parse(parser, sheet_file(f'<row r="1">{row}</row>'), FileType.XLSX)) == [
        "## a",
        "| 2 | fire side | TRUE | #DIV/0! | rich text |",
    ]


def test_characters_that_xml_cannot_hold_are_read_from_their_escapes(parser: LocalParser) -> None:
    def escape(sheet: Worksheet) -> None:
        sheet["A2"] = "Fire_x000D_\nand water_x0009_damage_x0007_"
        sheet["A3"] = "POL_x005F_x0041_2 _x20AC_5 _xd83d__xdE00_ _xD83D_ _xZZZZ_ _x41_"
        sheet["D3"].comment = Comment("Agreed_x000D_\nby all", "Under_x0020_writer")
        sheet.title = "a_x0026_b"
        sheet.oddHeader.left.text = "Policy_x0020_HH-7730"

    found = lines(read(parser, escape))

    assert found[0] == "## a&b"
    assert found[1] == "Policy HH-7730"
    assert "| Fire and water damage |" in found[3]
    assert "| POL_x0041_2 €5 \U0001f600 \ufffd _xZZZZ_ _x41_ |" in found[4]
    assert found[5] == "Comment by Under writer on D3: Agreed by all"


def test_dates_of_a_workbook_may_be_counted_from_1904(parser: LocalParser) -> None:
    def since_1904(sheet: Worksheet) -> None:
        assert sheet.parent is not None
        sheet.parent.epoch = datetime(1904, 1, 1)  # noqa: DTZ001

    assert "15.03.2026" in read(parser, since_1904).text


def test_a_sheet_of_empty_cells_between_far_ones_is_a_bomb(parser: LocalParser) -> None:
    cells = "".join(
        f'<row r="{n}"><c r="{letters}{n}"><v>1</v></c></row>' for n, letters in enumerate(columns(4000), 1)
    )

    assert refusal(parser, sheet_file(cells), FileType.XLSX).code == "bomb"


def test_one_long_text_in_very_many_cells_is_a_bomb(parser: LocalParser) -> None:
    long = "<is><t>" + "fire water hail theft " * 5_000 + "</t></is>"
    merged = '<row r="1"><c r="A1" t="inlineStr">' + long + "</c></row>"
    rows = "".join(f'<row r="{number}"><c r="B{number}"><v>{number}</v></c></row>' for number in range(2, 2_000))
    content = sheet_file(merged + rows + '</sheetData><mergeCells><mergeCell ref="A1:A2000"/></mergeCells><sheetData>')

    assert refusal(parser, content, FileType.XLSX).code == "bomb"


@pytest.mark.skipif(OFFICE_PROGRAM is None, reason="LibreOffice is not here: no encrypted XLS was tried")
def test_an_old_workbook_behind_a_password_is_encrypted(parser: LocalParser, tmp_path: Path) -> None:
    content = bytearray(converted(workbook(), "rates.xlsx", "xls", tmp_path))
    beginning = content.index(b"\x09\x08\x10\x00\x00\x06\x05\x00")
    content[beginning + 20 : beginning + 22] = b"\x2f\x00"  # the next record says how it is encrypted

    assert refusal(parser, bytes(content), FileType.XLS).code == "encrypted"


def columns(count: int) -> list[str]:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [a + b + c for a in letters[:8] for b in letters for c in letters][:count]


@pytest.mark.parametrize(
    "text", ["sep=;\r\na;b\r\n1,5;2", '"sep=|"\na|b\n1,5|2', "SEP=\t\na\tb\n1,5\t2", "\ufeffsep=;\na;b\n1,5;2"]
)
def test_the_line_that_names_the_separator_is_no_row(parser: LocalParser, text: str) -> None:
    assert lines(parse(parser, text.encode(), FileType.CSV)) == ["| a | b |", "| 1,5 | 2 |"]
