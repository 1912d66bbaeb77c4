"""Workbooks of Excel 97 to 2003 and before."""

from collections import Counter
from collections.abc import Iterator
from io import StringIO

import xlrd
from xlrd.biffh import XL_CELL_BOOLEAN, XL_CELL_DATE, XL_CELL_ERROR, XL_CELL_NUMBER

from ingest_assets.adapters.parsers.sealed.office.parts import UnreadableError
from ingest_assets.adapters.parsers.sealed.office.sheets.tables import Merge, Sheet
from ingest_assets.adapters.parsers.sealed.refusals import RefusedError
from ingest_assets.domain.documents.warnings import WarningKind
from ingest_assets.domain.text.number_codes import GENERAL
from ingest_assets.domain.text.number_formats import shown


def sheets(content: bytes, _warnings: Counter[WarningKind]) -> Iterator[Sheet]:
    """Yield the sheets of a workbook.

    Raises:
        RefusedError: encrypted.
        UnreadableError: The file is damaged.
    """
    try:
        book = xlrd.open_workbook(
            file_contents=content, formatting_info=True, ragged_rows=True, logfile=StringIO(), on_demand=False
        )
    except MemoryError:
        raise
    except Exception as error:  # of many classes, on damaged files
        if "encrypted" in str(error):
            raise RefusedError("encrypted") from None
        raise UnreadableError from None
    for sheet in book.sheets():
        yield _sheet(book, sheet)


def _sheet(book: xlrd.Book, read: xlrd.sheet.Sheet) -> Sheet:
    sheet = Sheet(read.name, is_hidden=read.visibility != 0)
    for number in range(read.nrows):
        texts = {at: _text(book, cell) for at, cell in enumerate(read.row(number)) if cell.value not in {"", None}}
        texts = {at: text for at, text in texts.items() if text.strip()}
        if texts:
            sheet.rows[number] = texts
    sheet.hidden_rows |= {number for number, row in read.rowinfo_map.items() if row.hidden}
    sheet.hidden_columns |= {number for number, column in read.colinfo_map.items() if column.hidden}
    sheet.merges += [Merge(top, end - 1, left) for top, end, left, _ in read.merged_cells if end - top > 1]
    for _, note in sorted(read.cell_note_map.items()):
        text = " ".join(note.text.split())
        if text:
            sheet.behind.append(f"Comment by {note.author or 'an unknown author'}: {text}")
    return sheet


def _text(book: xlrd.Book, cell: xlrd.sheet.Cell) -> str:
    if cell.ctype in {XL_CELL_NUMBER, XL_CELL_DATE}:
        return shown(cell.value, _code(book, cell), since_1904=book.datemode == 1)
    if cell.ctype == XL_CELL_BOOLEAN:
        return "TRUE" if cell.value else "FALSE"
    return str(xlrd.error_text_from_code.get(cell.value, "")) if cell.ctype == XL_CELL_ERROR else str(cell.value)


def _code(book: xlrd.Book, cell: xlrd.sheet.Cell) -> str:
    if cell.xf_index is None or cell.xf_index >= len(book.xf_list):
        return GENERAL
    code = book.format_map.get(book.xf_list[cell.xf_index].format_key)
    return code.format_str if code else GENERAL
